// What the tables of the bench say of many measurements.
import { expect, test } from '@jest/globals';
import { median, percentile } from '../../bench/statistics.ts';

test.each([
  [[7], 50, 7],
  [[3, 1, 2], 50, 2],
  [[4, 1, 3, 2], 50, 2],
  [[1, 2, 3, 4], 99, 4],
  [Array.from({ length: 200 }, (_, index) => index + 1), 99, 198],
  [[5, 6], 0, 5],
])('of %j the percentile %d is %d: a value that was measured', (values, percent, expected) => {
  expect(percentile(values, percent)).toBe(expected);
});

test('of nothing there is no median', () => {
  expect(() => median([])).toThrow('nothing was measured');
});
