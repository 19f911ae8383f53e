// Runs loops that belong together: where one fails none goes on.

/**
 * Runs the loops until the term is over, or one has failed; either way none still runs when it settles, so that the next
 * term cannot begin beside the last. @throws what the first of them threw
 */
export async function allOrNone(
  term: AbortSignal,
  loops: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([term, failed.signal]);
  const ends = await Promise.allSettled(
    loops.map((loop) =>
      loop(signal).catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
