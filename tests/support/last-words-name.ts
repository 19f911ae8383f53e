// Under which name a suite leaves the last words of its operators for its environment, which shares no module with it.
export const LAST_WORDS = 'latchkeyLastWords';
