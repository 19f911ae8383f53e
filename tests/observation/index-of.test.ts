// An index over a store: who has a value now, however often it changed hands.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { indexOf } from '../../src/observation/index-of.ts';
import { Store, type Stored } from '../../src/kubernetes/store.ts';

interface Claim extends Stored {
  readonly value: string | undefined;
}

const names = fc.constantFrom('ada', 'bob', 'cleo');
const change = fc.record({
  type: fc.constantFrom('ADDED' as const, 'DELETED' as const),
  name: names,
  value: fc.constantFrom('x', 'y', undefined),
});

test('at every moment it names exactly those that the store holds', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const store = new Store<Claim>();
      const index = indexOf(store, ({ value }) => value);
      changes.forEach(({ type, name, value }, at) => {
        store.applyEvent(type, { name, uid: name, value, resourceVersion: String(at + 1) });
        for (const wanted of ['x', 'y'])
          expect(new Set(index.get(wanted))).toEqual(
            new Set([...store.values()].filter((claim) => claim.value === wanted)),
          );
      });
    }),
  );
});

test('what was asked for before does not change under the hands of whoever asked', () => {
  const store = new Store<Claim>();
  const index = indexOf(store, ({ value }) => value);
  store.applyEvent('ADDED', { name: 'ada', uid: 'ada', value: 'x', resourceVersion: '1' });
  const before = index.get('x');
  store.applyEvent('DELETED', { name: 'ada', uid: 'ada', value: 'x', resourceVersion: '2' });
  expect([before.length, index.get('x').length]).toEqual([1, 0]);
});
