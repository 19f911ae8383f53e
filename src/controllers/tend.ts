// Calls the care for something that is renewed on schedule when it is due, for as long as this process leads.
import { setTimeout as delay } from 'node:timers/promises';

export interface Tended {
  /** Does what is due. What fails is logged. @returns when to call again; earlier after a change */
  tend(now: Date): Promise<Date>;
  /** Told of every change, by whomever. */
  onChange(listener: () => void): void;
}

/** After a failure; a change is told at once. */
const RETRY_MS = 5_000;
/** No timer of Node runs longer than 24 days, and a clock may be set meanwhile. */
const LOOK_AT_LEAST_EVERY_MS = 3_600_000;

/** @returns when to look again at what is due then; undefined where nobody knows */
export function lookAgainAt(due: Date | undefined, now: Date): Date {
  const soon = now.getTime() + RETRY_MS;
  const wanted = due?.getTime() ?? soon;
  return new Date(Math.max(soon, Math.min(wanted, now.getTime() + LOOK_AT_LEAST_EVERY_MS)));
}

/** @returns what a leader runs for its term; it ends when the signal aborts. */
export function tending(tended: Tended): (signal: AbortSignal) => Promise<void> {
  let changed = new AbortController();
  tended.onChange(() => changed.abort());
  return async (signal) => {
    while (!signal.aborted) {
      changed = new AbortController();
      const again = await tended.tend(new Date());
      // The clock may have been set meanwhile.
      const pauseMs = Math.min(Math.max(again.getTime() - Date.now(), 0), LOOK_AT_LEAST_EVERY_MS);
      // Ends early on purpose, when there was a change or the term is over.
      await delay(pauseMs, undefined, { signal: AbortSignal.any([signal, changed.signal]) }).catch(
        () => undefined,
      );
    }
  };
}
