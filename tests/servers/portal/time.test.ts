// Points in time read the way people say them.
import { describe, expect, test } from '@jest/globals';
import { clockTime, timeLeft } from '../../../src/servers/portal/time.ts';

describe('the time that is left', () => {
  test.each([
    [-5, 'in 0 seconds'],
    [1, 'in 1 second'],
    [119.9, 'in 119 seconds'],
    [120, 'in 2 minutes'],
    [1799, 'in 29 minutes'],
    [7199, 'in 119 minutes'],
    [7200, 'in 2 hours'],
  ])('of %d seconds reads "%s"', (seconds, expected) => {
    expect(timeLeft('en', seconds)).toBe(expected);
  });

  test('is said in the language of the page', () => {
    expect(timeLeft('de', 600)).toBe('in 10 Minuten');
  });
});

test.each([
  ['2026-03-01T14:32:59Z', '14:32 UTC'],
  ['2026-03-01T00:05:00Z', '00:05 UTC'],
])('the clock shows %s as %s', (at, expected) => {
  expect(clockTime('en', new Date(at))).toBe(expected);
});
