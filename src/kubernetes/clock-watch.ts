// Knows whether our clock agrees with the API server's, and tells when that changes.
import type { KubernetesClient } from './client.ts';
import { isInStep, isSkewed, type SkewRange } from './clock-skew.ts';

export interface ClockWatch {
  /** The skew by the latest answer that could tell, while it is too large to mint on. */
  skewed(): SkewRange | undefined;
  onChange(listener: (skewed: SkewRange | undefined) => void): void;
}

export function watchClock(client: KubernetesClient): ClockWatch {
  const listeners: ((skewed: SkewRange | undefined) => void)[] = [];
  let current: SkewRange | undefined;
  client.onSkew((range) => {
    const before = current;
    if (isSkewed(range)) current = range;
    else if (isInStep(range)) current = undefined;
    if ((before === undefined) !== (current === undefined))
      for (const listener of listeners) listener(current);
  });
  return { skewed: () => current, onChange: (listener) => listeners.push(listener) };
}
