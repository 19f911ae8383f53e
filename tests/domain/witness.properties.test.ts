// Whatever a watch shows of an object's changes, and whatever it leaves out: no shut gate goes unnoticed.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { unbroken, witness, type Witness } from '../../src/domain/witness.ts';

/** What each generation of an object left of its gate, and whether the watch told of it. */
const history = fc.array(
  fc.record({ open: fc.boolean(), told: fc.boolean(), again: fc.integer({ min: 0, max: 2 }) }),
  { minLength: 1, maxLength: 12 },
);

/** What a process knows that started when `from` was the generation, and was last told of `to`. */
function seenBetween(
  generations: readonly { open: boolean; told: boolean; again: number }[],
  from: number,
  to: number,
) {
  let seen: Witness | undefined;
  for (let generation = from; generation <= to; generation++) {
    const of = generations[generation - 1];
    // The first and the last are listed or told; a status that changes tells the same generation again.
    if (!of || !(of.told || generation === from || generation === to)) continue;
    for (let times = 0; times <= of.again; times++) seen = witness(seen, generation, of.open);
  }
  return seen;
}

test('a session that counts has never been without an open gate since it was accounted for', () => {
  let counted = 0;
  fc.assert(
    fc.property(history, fc.nat(), fc.nat(), (generations, a, b) => {
      const current = generations.length;
      const accounted = 1 + (a % current);
      const started = 1 + (b % current);
      // A session is accounted for, and a token is minted, only where the gate is open.
      fc.pre(generations[accounted - 1]?.open === true && generations[current - 1]?.open === true);
      if (!unbroken(accounted, current, seenBetween(generations, started, current))) return;
      counted += current > accounted + 1 ? 1 : 0;
      expect(generations.slice(accounted - 1).map(({ open }) => open)).not.toContain(false);
    }),
    { numRuns: 5_000 },
  );
  expect(counted).toBeGreaterThan(20);
});

test('a session is never ended by changes that were all watched, and all left the gate open', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), (current, a) => {
      const accounted = 1 + (a % current);
      const generations = Array.from({ length: current }, () => ({ open: true, told: true, again: 0 }));
      expect(unbroken(accounted, current, seenBetween(generations, accounted, current))).toBe(true);
    }),
  );
});
