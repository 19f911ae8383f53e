// The pause between two questions, and what cuts it short.
import { expect, test } from '@jest/globals';
import { bell } from '../../../../src/directory/ldap/watch/bell.ts';

const NEVER_MS = 60 * 60_000;
const { signal } = new AbortController();

const took = async (pause: Promise<void>): Promise<number> => {
  const began = performance.now();
  await pause;
  return performance.now() - began;
};

test('a ring ends the pause that goes on', async () => {
  const doorbell = bell();
  const pause = doorbell.pause(0, NEVER_MS, signal);
  doorbell.ring();
  await pause;
});

test('a ring before the pause ends it as soon as it may end, however many they were', async () => {
  const doorbell = bell();
  for (let rings = 0; rings < 1_000; rings++) doorbell.ring();
  expect(await took(doorbell.pause(60, NEVER_MS, signal))).toBeGreaterThanOrEqual(59);
});

test('a ring during the least pause is not lost', async () => {
  const doorbell = bell();
  const pause = took(doorbell.pause(60, NEVER_MS, signal));
  doorbell.ring();
  expect(await pause).toBeGreaterThanOrEqual(59);
});

test('a ring ends one pause, and not the next', async () => {
  const doorbell = bell();
  doorbell.ring();
  await doorbell.pause(0, NEVER_MS, signal);
  expect(await took(doorbell.pause(0, 60, signal))).toBeGreaterThanOrEqual(59);
});

test.each([
  ['least', NEVER_MS],
  ['longest', 0],
])('the %s pause ends when the watch ends', async (_, leastMs) => {
  const stop = new AbortController();
  const pause = bell().pause(leastMs, NEVER_MS, stop.signal);
  stop.abort();
  await expect(pause).rejects.toThrow('aborted');
});
