// What is made of one answer after the other, and of a clock that is set in between.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { SkewRange } from '../../src/kubernetes/clock-skew.ts';
import { watchClock } from '../../src/kubernetes/clock-watch.ts';

const IN_STEP = { fromMs: -1_000, toMs: 10 };
const AHEAD = { fromMs: 8_000, toMs: 9_100 };
const FURTHER_AHEAD = { fromMs: 30_000, toMs: 31_000 };
const BEHIND = { fromMs: -31_000, toMs: -30_000 };
/** The same clock as AHEAD, by an answer that took its time. */
const SLOW = { fromMs: 1_000, toMs: 9_100 };
const START = Date.parse('2030-01-01T00:00:00Z');

beforeEach(() => {
  jest.useFakeTimers({ now: START });
});
afterEach(() => {
  jest.useRealTimers();
});

function watched() {
  let tell: (range: SkewRange) => void = () => undefined;
  const clock = watchClock({
    onSkew(listener) {
      tell = (range) => listener(range, new Date());
    },
  });
  const changes: (SkewRange | undefined)[] = [];
  clock.onChange((skewed) => changes.push(skewed));
  return { clock, changes, tell: (range: SkewRange) => tell(range) };
}

test('nothing is minted from the first answer that shows a skew to the first that shows none', () => {
  const { clock, changes, tell } = watched();
  expect(clock.skewed()).toBeUndefined();
  for (const [range, skewed] of [
    [IN_STEP, undefined],
    [SLOW, undefined],
    [AHEAD, AHEAD],
    [FURTHER_AHEAD, FURTHER_AHEAD],
    // A slow answer cannot tell, so it must not end the alarm.
    [SLOW, FURTHER_AHEAD],
    [IN_STEP, undefined],
  ] as const) {
    tell(range);
    expect(clock.skewed()).toEqual(skewed);
  }
  expect(changes).toEqual([AHEAD, FURTHER_AHEAD, undefined]);
});

test.each([8_000, -8_000, 3_600_000, -3_600_000])(
  'a clock that is set by %d ms is noticed before the next answer comes',
  (stepMs) => {
    const { clock, changes, tell } = watched();
    tell(IN_STEP);
    jest.advanceTimersByTime(60_000);
    expect(clock.skewed()).toBeUndefined();
    jest.setSystemTime(Date.now() + stepMs);
    const skew = { fromMs: stepMs - 1_000, toMs: stepMs + 10 };
    expect(clock.skewed()).toEqual(skew);
    jest.setSystemTime(Date.now() - stepMs);
    expect(clock.skewed()).toBeUndefined();
    expect(changes).toEqual([skew, undefined]);
  },
);

test('a step that is small, and the time that passes, are no skew', () => {
  const { clock, tell } = watched();
  tell(IN_STEP);
  jest.setSystemTime(Date.now() + 3_000);
  jest.advanceTimersByTime(86_400_000);
  expect(clock.skewed()).toBeUndefined();
});

test('the time to decide by is ours while the clocks agree, and else the latest that the server’s may show', () => {
  const { clock, tell } = watched();
  const aheadMs = () => clock.now().getTime() - Date.now();
  expect(aheadMs()).toBe(0);
  tell(IN_STEP);
  expect(aheadMs()).toBe(0);
  tell(AHEAD);
  expect(aheadMs()).toBe(-8_000);
  tell(BEHIND);
  expect(aheadMs()).toBe(31_000);
});
