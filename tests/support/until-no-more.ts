// What is taken away behind the back of a replica counts for as long as a proof of freshness does, and no longer.
import { expect } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { FRESH_MS } from '../../src/kubernetes/freshness.ts';

const DEADLINE_MS = 60_000;

/**
 * Waits until it is no more so, and fails where it is in an answer to what was asked after the last proof ran out: by then
 * a watch that is late is no excuse.
 * @param since when it was taken away, as performance.now() counts
 */
export async function untilNoMore(
  what: string,
  since: number,
  isStillSo: () => Promise<boolean>,
): Promise<void> {
  await waitUntil(what, DEADLINE_MS, async () => {
    const isOver = performance.now() > since + FRESH_MS;
    const still = await isStillSo();
    if (isOver) expect(still).toBe(false);
    return !still;
  });
}
