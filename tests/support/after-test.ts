// Ends what a test started, whether it passes or fails: an open server would keep Jest from exiting.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach } from '@jest/globals';

type End = () => Promise<void>;

const ofTheTest: End[] = [];
const ofTheBody = new AsyncLocalStorage<End[]>();

/** Runs `end` after the current test, the latest first; it may have run before. */
export function afterTest(end: End): void {
  (ofTheBody.getStore() ?? ofTheTest).push(end);
}

/** The body of a `test.concurrent`: what it gives to `afterTest` ends with it, and not with a test beside it. */
export function besideOthers<Args extends readonly unknown[]>(
  body: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const ends: End[] = [];
    try {
      await ofTheBody.run(ends, () => body(...args));
    } finally {
      await endAll(ends);
    }
  };
}

async function endAll(ends: End[]): Promise<void> {
  for (const end of ends.splice(0).toReversed()) await end();
}

afterEach(() => endAll(ofTheTest));
