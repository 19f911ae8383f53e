// How long to wait before a conversation with a directory is tried again.

/** A conversation that has lasted so long ends by an accident, and the next one begins at once. */
const LASTING_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

export interface BackOff {
  /** @param lastedMs how long the conversation went well. @returns how many have failed in a row */
  failed(lastedMs: number): number;
  /** In milliseconds; none after the first failure: a connection may just have become too old. */
  pauseMs(): number;
}

export function backOff(): BackOff {
  let failures = 0;
  return {
    failed(lastedMs) {
      failures = lastedMs > LASTING_MS ? 1 : failures + 1;
      return failures;
    },
    pauseMs() {
      if (failures <= 1) return 0;
      return Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.8 + 0.4 * Math.random());
    },
  };
}
