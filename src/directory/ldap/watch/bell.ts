// A pause that ends early when somebody rings, and never so early that ringing becomes a load.
import { setTimeout as delay } from 'node:timers/promises';

export interface Bell {
  ring(): void;
  /**
   * Returns after `longestMs`, or once the bell has been rung since the last pause, but not before `leastMs`.
   * @throws {Error} when `signal` aborts
   */
  pause(leastMs: number, longestMs: number, signal: AbortSignal): Promise<void>;
}

export function bell(): Bell {
  let isRung = false;
  let hear = () => {};
  return {
    ring() {
      isRung = true;
      hear();
    },
    async pause(leastMs, longestMs, signal) {
      await delay(leastMs, undefined, { signal });
      if (!isRung && longestMs > leastMs) {
        const rung = new AbortController();
        hear = () => rung.abort();
        const either = AbortSignal.any([signal, rung.signal]);
        await delay(longestMs - leastMs, undefined, { signal: either }).catch(() => undefined);
        hear = () => {};
      }
      isRung = false;
      signal.throwIfAborted();
    },
  };
}
