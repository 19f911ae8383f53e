// Calls the care for the signing keys when it is due, for as long as this process leads.
import { setTimeout as delay } from 'node:timers/promises';
import type { SigningKeys } from './signing-keys.ts';

/** @returns what a leader runs for its term; it ends when the signal aborts. */
export function tendSigningKeys(keys: SigningKeys): (signal: AbortSignal) => Promise<void> {
  let changed = new AbortController();
  keys.onChange(() => changed.abort());
  return async (signal) => {
    while (!signal.aborted) {
      changed = new AbortController();
      const again = await keys.tend(new Date());
      const pauseMs = Math.max(again.getTime() - Date.now(), 0);
      // Ends early on purpose, when the Secret changes or the term is over.
      await delay(pauseMs, undefined, { signal: AbortSignal.any([signal, changed.signal]) }).catch(
        () => undefined,
      );
    }
  };
}
