// How far our clock is from the API server's, as far as one answer can tell.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isInStep, isSkewed, MAX_SKEW_MS, skewRange } from '../../src/kubernetes/clock-skew.ts';

const NOON = Date.UTC(2030, 0, 1, 12);
const HEADER = 'Tue, 01 Jan 2030 12:00:00 GMT';
const at = (ms: number) => new Date(NOON + ms);

describe('the range of an answer', () => {
  test.each([
    ['at once', 0, 0, { fromMs: -1_000, toMs: 0 }],
    ['within the second', 100, 900, { fromMs: -900, toMs: 900 }],
    ['after three seconds', 0, 3_000, { fromMs: -1_000, toMs: 3_000 }],
    ['from a clock that is behind ours', 10_000, 10_100, { fromMs: 9_000, toMs: 10_100 }],
    ['from a clock that is ahead of ours', -10_000, -9_900, { fromMs: -11_000, toMs: -9_900 }],
  ])('%s', (_what, sent, received, range) => {
    expect(skewRange(HEADER, at(sent), at(received))).toEqual(range);
  });

  test.each([undefined, '', 'yesterday'])('there is none where the header is %p', (header) => {
    expect(skewRange(header, at(0), at(10))).toBeUndefined();
  });

  test('holds the true skew, whatever it is and however long the answer took', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -60_000, max: 60_000 }),
        fc.nat({ max: 20_000 }),
        fc.nat({ max: 20_000 }),
        fc.nat({ max: 999 }),
        (skew, there, back, fraction) => {
          const stamped = NOON + fraction;
          const header = new Date(stamped).toUTCString();
          const sent = new Date(stamped + skew - there);
          const received = new Date(stamped + skew + back);
          const range = skewRange(header, sent, received);
          expect(range?.fromMs).toBeLessThanOrEqual(skew);
          expect(range?.toMs).toBeGreaterThanOrEqual(skew);
        },
      ),
    );
  });
});

describe('what a range says', () => {
  test.each([
    ['in step', -1_000, 0, 'in step'],
    ['just in step', -MAX_SKEW_MS, MAX_SKEW_MS, 'in step'],
    ['surely ahead', MAX_SKEW_MS + 1, MAX_SKEW_MS + 900, 'skewed'],
    ['surely behind', -MAX_SKEW_MS - 900, -MAX_SKEW_MS - 1, 'skewed'],
    ['perhaps ahead', 4_500, 5_500, 'cannot tell'],
    ['perhaps behind', -5_500, -4_500, 'cannot tell'],
    ['a slow answer', -1_000, 9_000, 'cannot tell'],
  ])('%s', (_what, fromMs, toMs, says) => {
    const range = { fromMs, toMs };
    expect(isSkewed(range) ? 'skewed' : isInStep(range) ? 'in step' : 'cannot tell').toBe(says);
  });
});
