// How much may be asked of the API server on behalf of those who present tokens: some at once, then so many a second.

export interface Allowance {
  /** Takes one. @returns false where none is left */
  take(): boolean;
}

/** A token bucket. @param burst how many at once @param perSecond how many come back */
export function allowance(
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
  monotonicMs: () => number = () => performance.now(),
): Allowance {
  let left = burst;
  let countedAt = monotonicMs();
  return {
    take() {
      const now = monotonicMs();
      left = Math.min(burst, left + ((now - countedAt) / 1_000) * perSecond);
      countedAt = now;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
