// The licence's clock against clocks that are set. The API server's cannot be set on a machine that it shares with the tests, so its answers are given by hand.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { licenseClock } from '../../../src/controllers/license/clock.ts';
import type { SkewListener } from '../../../src/kubernetes/client.ts';
import { skewRange } from '../../../src/kubernetes/clock-skew.ts';

const START = Date.parse('2030-01-01T12:00:00Z');
const HOUR_MS = 3_600_000;

/** What all clocks would show if nobody had set them; the tests set `here` and `there` apart from it. */
let here = 0;
let there = 0;
let listener: SkewListener | undefined;

beforeEach(() => {
  jest.useFakeTimers({ now: START });
  here = 0;
  there = 0;
});
afterEach(() => {
  jest.useRealTimers();
});

const trueNow = () => START + performance.now();

/** Sets the clock of this machine without moving the monotonic one. */
function setHere(offsetMs: number): void {
  here = offsetMs;
  jest.setSystemTime(trueNow() + here);
}

/** @param meanwhile what happens between the answer and what is told of it */
function answer(sent = new Date(), meanwhile: () => void = () => undefined): void {
  const date = new Date(Math.floor((trueNow() + there) / 1_000) * 1_000).toUTCString();
  const received = new Date();
  const range = skewRange(date, sent, received);
  meanwhile();
  if (range) listener?.(range, received);
}

function start(): () => number {
  const origin = performance.now();
  const clock = licenseClock({ onSkew: (told) => (listener = told) });
  return () => clock().at.getTime() - START - origin;
}

function pass(ms: number): void {
  jest.advanceTimersByTime(ms);
}

describe('the clock of a licence', () => {
  test('says that the time may be later until two clocks have agreed, and never again after that', () => {
    const clock = licenseClock({ onSkew: (told) => (listener = told) });
    expect(clock().mayBeLater).toBe(true);
    setHere(-HOUR_MS);
    answer();
    expect(clock().mayBeLater).toBe(true);
    setHere(0);
    answer();
    expect(clock().mayBeLater).toBe(false);
    setHere(-HOUR_MS);
    answer();
    expect(clock().mayBeLater).toBe(false);
  });

  test('is this machine’s where that agrees with the API server’s', () => {
    const now = start();
    answer();
    expect(now()).toBe(0);
    pass(1_234);
    expect(now()).toBe(1_234);
  });

  test.each([HOUR_MS, -HOUR_MS, 30_000, -30_000])('runs on when this machine’s is set by %d ms', (offset) => {
    const now = start();
    answer();
    setHere(offset);
    expect(now()).toBe(0);
    answer();
    pass(60_000);
    answer();
    expect(now()).toBe(60_000);
  });

  test.each([HOUR_MS, -HOUR_MS, 30_000, -30_000])(
    'runs on when this machine’s is set by %d ms while an answer is under way',
    (offset) => {
      const now = start();
      answer();
      pass(60_000);
      const sent = new Date();
      setHere(offset);
      answer(sent);
      expect(now()).toBe(60_000);
    },
  );

  test('is the earliest that may be, where the first answer cannot tell', () => {
    const now = start();
    const sent = new Date();
    setHere(HOUR_MS);
    answer(sent);
    expect(now()).toBe(0);
  });

  test.each([HOUR_MS, -HOUR_MS])('runs on when the API server’s is set by %d ms', (offset) => {
    const now = start();
    answer();
    there = offset;
    answer();
    pass(60_000);
    answer();
    expect(now()).toBe(60_000);
  });

  test('never goes back, when both are set back', () => {
    const now = start();
    answer();
    pass(60_000);
    setHere(-HOUR_MS);
    there = -HOUR_MS;
    answer();
    pass(1_000);
    answer();
    expect(now()).toBe(61_000);
  });

  test('does not stand still when both are set back again and again', () => {
    const now = start();
    for (let times = 1; times <= 10; times++) {
      pass(60_000);
      setHere(-60_000 * times);
      there = -60_000 * times;
      answer();
    }
    expect(now()).toBeGreaterThanOrEqual(9 * 60_000);
  });

  test('goes ahead with both: a machine that has slept knows the time when it wakes', () => {
    const now = start();
    answer();
    setHere(HOUR_MS);
    there = HOUR_MS;
    answer();
    expect(now()).toBe(HOUR_MS);
  });

  test.each([
    ['this machine’s is ahead', HOUR_MS, 0],
    ['the API server’s is ahead', 0, HOUR_MS],
  ])('takes the earlier one where they have never agreed: %s', (_, mine, its) => {
    setHere(mine);
    there = its;
    const now = start();
    answer();
    expect(Math.abs(now())).toBeLessThanOrEqual(1_000);
    pass(5_000);
    expect(Math.abs(now() - 5_000)).toBeLessThanOrEqual(1_000);
  });

  test('follows the API server’s where the two differ by a few seconds', () => {
    setHere(-4_000);
    const now = start();
    answer();
    expect(Math.abs(now())).toBeLessThanOrEqual(1_000);
  });
});

test('is not moved by a clock that is set in the moment in which an answer is told', () => {
  const now = start();
  answer();
  const before = now();
  answer(new Date(), () => setHere(365 * 24 * HOUR_MS));
  expect(Math.abs(now() - before)).toBeLessThan(1_000);
});
