// Tells whether a replica is cut off: it has asked for a proof of freshness, and none has come.
import type { Freshness } from './freshness.ts';
import { ageMs, instant, type Instant } from './instant.ts';

/** A proof takes up to three seconds, and may fail once or twice on a good day. */
export const CUT_OFF_AFTER_MS = 15_000;

/**
 * @returns a check for readiness, which asks for the proofs itself: so it holds however seldom it is called, and also
 * where nothing else needs a proof. False from 15 s after the first one that was asked for in vain.
 */
export function reach(freshness: readonly Pick<Freshness, 'isProven' | 'ageMs'>[]): () => boolean {
  let wanted: Instant | undefined;
  return () => {
    const asked = instant();
    const answered = wanted !== undefined && freshness.every((one) => one.ageMs() <= ageMs(wanted ?? asked));
    // Every one is asked, whatever the others say.
    const proven = freshness.map((one) => one.isProven()).every(Boolean);
    if (proven) wanted = undefined;
    else if (!wanted || answered) wanted = asked;
    return !wanted || ageMs(wanted) < CUT_OFF_AFTER_MS;
  };
}
