// Ends what a test started, whether it passes or fails: an open server would keep Jest from exiting.
import { afterEach } from '@jest/globals';

const endings: (() => Promise<void>)[] = [];

/** Runs `end` after the current test, the latest first; it may have run before. */
export function afterTest(end: () => Promise<void>): void {
  endings.push(end);
}

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});
