import { expect, test } from '@jest/globals';
import { unbroken, witness, type Witness } from '../../src/domain/witness.ts';

/** Generations in the order in which they are seen; a minus sign means that the gate was shut. */
const saw = (...seen: number[]) =>
  seen.reduce<Witness | undefined>(
    (before, generation) => witness(before, Math.abs(generation), generation > 0),
    undefined,
  );

test.each<[string, number, number, number[], boolean]>([
  ['nothing has changed', 1, 1, [1], true],
  ['one change, which is the one that is seen', 1, 2, [2], true],
  ['two changes, both watched and open', 1, 3, [1, 2, 3], true],
  ['two changes, the first of them unwatched', 1, 3, [1, 3], false],
  ['two changes, of which the first shut the gate', 1, 3, [1, -2, 3], false],
  ['a gap that was bridged before the session was accounted for', 5, 6, [1, 5, 6], true],
  ['many changes after a list', 1, 9, [9], false],
  ['many watched changes', 1, 5, [1, 2, 3, 4, 5], true],
  ['shut once, long ago, before the session', 4, 6, [1, -2, 3, 4, 5, 6], true],
  ['the witness lags behind', 1, 4, [1, 2, 3], false],
])('%s', (_, accounted, current, seen, expected) => {
  expect(unbroken(accounted, current, saw(...seen))).toBe(expected);
});

test('without a witness only the next change is taken for granted', () => {
  expect([unbroken(3, 4, undefined), unbroken(3, 5, undefined)]).toEqual([true, false]);
});
