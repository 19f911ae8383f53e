// Knows whether our clock agrees with the API server's, and tells when that changes.
import type { KubernetesClient } from './client.ts';
import { isInStep, isSkewed, MAX_SKEW_MS, type SkewRange } from './clock-skew.ts';
import { instant, type Instant } from './instant.ts';

export interface ClockWatch {
  /** How far apart the clocks are now, while that is too far to mint. */
  skewed(): SkewRange | undefined;
  /** The time to decide by: ours while the clocks agree, else the latest that the API server's may show. */
  now(): Date;
  /** Told when the clocks part or agree again, and when ours is set once more in between. */
  onChange(listener: (skewed: SkewRange | undefined) => void): void;
}

/**
 * By the latest answer that could tell. Between two answers the monotonic clock tells when ours is set: what is minted
 * in the moment between a step of the clock and the next answer would live too long by as much.
 */
export function watchClock(client: Pick<KubernetesClient, 'onSkew'>): ClockWatch {
  const listeners: ((skewed: SkewRange | undefined) => void)[] = [];
  let told: SkewRange | undefined;
  let latest: { readonly range: SkewRange; readonly at: Instant } | undefined;

  function skewed(): SkewRange | undefined {
    const range = latest && moved(latest.range, stepSince(latest.at));
    const current = range && isSkewed(range) ? range : undefined;
    // Set once more, it makes every appointment wrong that was made by the clock before.
    if (differ(told, current)) {
      told = current;
      for (const listener of listeners) listener(current);
    }
    return current;
  }

  client.onSkew((range) => {
    if (isSkewed(range) || isInStep(range)) latest = { range, at: instant() };
    skewed();
  });
  return {
    skewed,
    now: () => new Date(Date.now() - (skewed()?.fromMs ?? 0)),
    onChange: (listener) => listeners.push(listener),
  };
}

function differ(a: SkewRange | undefined, b: SkewRange | undefined): boolean {
  return a && b ? Math.abs(a.fromMs - b.fromMs) > MAX_SKEW_MS : a !== b;
}

/** By how much our clock was set since then, in milliseconds; also how long the machine slept. */
function stepSince(then: Instant): number {
  const now = instant();
  return now.wallMs - then.wallMs - (now.monotonicMs - then.monotonicMs);
}

function moved({ fromMs, toMs }: SkewRange, byMs: number): SkewRange {
  return { fromMs: fromMs + byMs, toMs: toMs + byMs };
}
