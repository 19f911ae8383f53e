// What keeps those who present tokens from wearing out the API server or the memory.
import { describe, expect, test } from '@jest/globals';
import { allowance } from '../../src/verification/allowance.ts';
import { endedSessions } from '../../src/verification/ended-sessions.ts';
import { singleFlight } from '../../src/verification/single-flight.ts';

describe('an allowance', () => {
  const count = (takes: number, take: () => boolean) =>
    Array.from({ length: takes }, take).filter(Boolean).length;

  test('gives so many at once, then so many a second, and saves up no more than at first', () => {
    let now = 5_000;
    const { take } = allowance({ burst: 10, perSecond: 4 }, () => now);
    expect(count(100, take)).toBe(10);
    expect(count(100, take)).toBe(0);
    now += 1_000;
    expect(count(100, take)).toBe(4);
    now += 250;
    expect(count(100, take)).toBe(1);
    now += 3_600_000;
    expect(count(100, take)).toBe(10);
  });

  test('is not worn away by asking often', () => {
    let now = 0;
    const { take } = allowance({ burst: 1, perSecond: 1 }, () => now);
    let taken = 0;
    for (; now <= 10_000; now += 7) taken += take() ? 1 : 0;
    expect(taken).toBe(10);
  });
});

describe('sessions that have ended', () => {
  test('are remembered up to a number, the latest first', () => {
    const ended = endedSessions(3);
    for (const sid of ['a', 'b', 'c', 'a', 'd']) ended.add(sid);
    expect(['a', 'b', 'c', 'd'].map((sid) => ended.has(sid))).toEqual([true, false, true, true]);
  });
});

describe('a reading that several ask for', () => {
  test('is one while it is under way, and another one afterwards', async () => {
    const readings: string[] = [];
    let finish: (value: number) => void = () => undefined;
    const read = singleFlight((key: string) => {
      readings.push(key);
      return new Promise<number>((resolve) => (finish = resolve));
    });
    const first = [read('a', undefined), read('a', undefined)];
    expect(readings).toEqual(['a']);
    finish(1);
    expect(await Promise.all(first)).toEqual([1, 1]);
    const second = read('a', undefined);
    expect(readings).toEqual(['a', 'a']);
    finish(2);
    expect(await second).toBe(2);
  });

  test('fails for all who asked, and is tried anew by the next', async () => {
    let fails = true;
    const read = singleFlight(async () => {
      if (fails) throw new Error('no');
      return 'yes';
    });
    const results = await Promise.allSettled([read('a', undefined), read('a', undefined)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await read('a', undefined)).toBe('yes');
  });
});
