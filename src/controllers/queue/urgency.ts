// How urgent a key of a queue is, as a number: smaller is sooner.

export const NOW = 0;
/**
 * Below are ranks; from here on moments (ms since 1970). Refreshes use the expiry of the token, so that the
 * shortest-lived goes first.
 */
export const FIRST_MOMENT = 1_000_000;
/** After whatever kills a token, and before what is only written down. From here on nobody waits for it. */
export const LATE = Number.MAX_SAFE_INTEGER - 1;
/** After everything else. */
export const LAST = Number.MAX_SAFE_INTEGER;
