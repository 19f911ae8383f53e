// A moment whose age counts on, whatever happens to the clocks of this machine.

/** The monotonic clock stands still while the machine sleeps, and anybody may set the other one back. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const instant = (): Instant => ({ monotonicMs: performance.now(), wallMs: Date.now() });

/** By the clock that says more: to be taken for older than it is does a proof no harm. */
export function ageMs(then: Instant, now = instant()): number {
  return Math.max(now.monotonicMs - then.monotonicMs, now.wallMs - then.wallMs);
}
