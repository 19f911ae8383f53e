// A time limit ends the work when it has to, and is gone when the work is.
import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { withTimeLimit } from '../../src/kubernetes/time-limit.ts';

const late = () => new Error('too late');

/** Work that ends only when it is told to. */
const endless = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

test('work within the limit gives its result', async () => {
  const limits = { limitMs: 10_000, outer: undefined, reason: late };
  await expect(withTimeLimit(limits, () => Promise.resolve(7))).resolves.toBe(7);
});

test('work that takes too long ends for the reason that is given', async () => {
  await expect(withTimeLimit({ limitMs: 5, outer: undefined, reason: late }, endless)).rejects.toThrow(
    'too late',
  );
});

test('work ends with the outer signal, and does not begin after it', async () => {
  const outer = new AbortController();
  const limits = { limitMs: 10_000, outer: outer.signal, reason: late };
  const work = withTimeLimit(limits, endless);
  outer.abort(new Error('stopped'));
  await expect(work).rejects.toThrow('stopped');
  let began = false;
  const begin = () => {
    began = true;
    return Promise.resolve();
  };
  await expect(withTimeLimit(limits, begin)).rejects.toThrow('stopped');
  expect(began).toBe(false);
});

test('neither a timer nor a listener is left, whether the work succeeds or fails', async () => {
  const outer = new AbortController();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const limits = { limitMs: 60_000, outer: outer.signal, reason: late };
  for (let n = 0; n < 100; n += 1) {
    await withTimeLimit(limits, () => Promise.resolve());
    await withTimeLimit(limits, () => Promise.reject(new Error('no'))).catch(() => undefined);
  }
  expect(getEventListeners(outer.signal, 'abort')).toEqual([]);
  expect(timers()).toBe(before);
});
