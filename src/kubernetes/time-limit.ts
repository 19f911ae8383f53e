// Gives a piece of work a time limit that leaves nothing behind when the work is done.

/**
 * Runs `work` with a signal that aborts with `reason()` after `limitMs`, or with `outer`. Then it rejects at once, even
 * where the work goes on: undici hears of a signal only when a request has a connection. AbortSignal.timeout() would keep
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
  const { promise: over, reject } = Promise.withResolvers<never>();
  limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error), { once: true });
  try {
    return await Promise.race([work(limit.signal), over]);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', stop);
  }
}
