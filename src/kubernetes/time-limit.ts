// Gives a piece of work a time limit that leaves nothing behind when the work is done.

/**
 * Runs `work` with a signal that aborts with `reason()` after `limitMs`, or with `outer`. AbortSignal.timeout() would keep
 * its timer, and with it the request, until the limit; many requests a second would add up.
 */
export async function withTimeLimit<T>(
  { limitMs, outer, reason }: { limitMs: number; outer: AbortSignal | undefined; reason: () => Error },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(reason()), limitMs);
  const stop = () => limit.abort(outer?.reason);
  outer?.addEventListener('abort', stop, { once: true });
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', stop);
  }
}
