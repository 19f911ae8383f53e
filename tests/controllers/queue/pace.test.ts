import { expect, test } from '@jest/globals';
import { Pace } from '../../../src/controllers/queue/pace.ts';

test('each failure halves what may be under way, down to four; each success doubles it, up to all', () => {
  const pace = new Pace(32);
  const limits = (act: () => void, times: number) =>
    Array.from({ length: times }, () => {
      act();
      return pace.limit;
    });
  expect(limits(() => pace.failed(0, 0), 6)).toEqual([16, 8, 4, 4, 4, 4]);
  expect(limits(() => pace.succeeded(), 6)).toEqual([8, 16, 32, 32, 32, 32]);
});

test('where even those fail there are pauses that grow to two seconds, and end with a success', () => {
  const pace = new Pace(1);
  const pauses: number[] = [];
  let now = 0;
  for (let failure = 0; failure < 20; failure++) {
    pace.failed(0, now);
    pauses.push(pace.waitMs(now));
    now += pace.waitMs(now);
    expect(pace.waitMs(now)).toBe(0);
  }
  expect(pauses[0]).toBeLessThanOrEqual(50);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
  expect(Math.min(...pauses.slice(10))).toBeGreaterThanOrEqual(1_000);
  pace.failed(0, now);
  pace.succeeded();
  expect(pace.waitMs(now)).toBe(0);
});

test('a server that says when to come again is not asked before', () => {
  const pace = new Pace(1);
  pace.failed(7_000, 100);
  expect(pace.waitMs(100)).toBe(7_000);
  expect(pace.waitMs(7_000)).toBe(100);
});
