// One at a time, the ways in which a store learns of an object, above all out of order.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { keyOf, Store, type Stored } from '../../src/kubernetes/store.ts';

const version = (name: string, resourceVersion: number, uid = `uid of ${name}`): Stored => ({
  name,
  uid,
  resourceVersion: String(resourceVersion),
});

let store: Store<Stored>;
let told: [string | undefined, string | undefined][];

beforeEach(() => {
  store = new Store();
  told = [];
  store.onChange((before, after) => told.push([before?.resourceVersion, after?.resourceVersion]));
});

test('the key of an object holds its namespace, where it has one', () => {
  expect(keyOf({ name: 'ada' })).toBe('ada');
  expect(keyOf({ namespace: 'ada', name: 'access-token' })).toBe('ada/access-token');
});

test('it stands nowhere before its first list, and then where the list ends', () => {
  expect(store.resourceVersion).toBeUndefined();
  expect(store.hasReached('0')).toBe(false);
  store.replace([version('a', 3)], '10');
  expect(store.resourceVersion).toBe('10');
  expect([store.hasReached('10'), store.hasReached('11')]).toEqual([true, false]);
  expect([...store.values()]).toEqual([version('a', 3)]);
  expect(store.size).toBe(1);
});

test('versions are compared as numbers, not as text', () => {
  store.replace([version('a', 9)], '9');
  store.applyEvent('MODIFIED', version('a', 10));
  expect(store.get('a')).toEqual(version('a', 10));
  expect(store.hasReached('9')).toBe(true);
});

describe('an event', () => {
  beforeEach(() => {
    store.replace([version('a', 5)], '10');
    told = [];
  });

  test('changes the object and takes the store on', () => {
    store.applyEvent('ADDED', version('b', 11));
    store.applyEvent('MODIFIED', version('a', 12));
    store.applyEvent('DELETED', version('b', 13));
    expect(told).toEqual([
      [undefined, '11'],
      ['5', '12'],
      ['11', undefined],
    ]);
    expect([...store.values()]).toEqual([version('a', 12)]);
    expect(store.resourceVersion).toBe('13');
  });

  test('that another stream has told already changes nothing', () => {
    store.applyEvent('MODIFIED', version('a', 12));
    store.applyEvent('MODIFIED', version('a', 12));
    store.applyEvent('ADDED', version('c', 11));
    expect(told).toEqual([['5', '12']]);
    expect(store.resourceVersion).toBe('12');
  });

  test('that deletes what the store does not know only takes it on', () => {
    store.applyEvent('DELETED', version('c', 11));
    expect(told).toEqual([]);
    expect(store.resourceVersion).toBe('11');
  });

  test('a bookmark takes the store on, and never back', () => {
    store.bookmark('20');
    store.bookmark('15');
    expect(store.resourceVersion).toBe('20');
    expect(told).toEqual([]);
  });
});

describe('the answer to a write of our own', () => {
  beforeEach(() => {
    store.replace([version('a', 5)], '10');
    told = [];
  });

  test('is there at once, and the watch does not tell of it again', () => {
    store.merge(version('a', 12));
    expect(store.get('a')).toEqual(version('a', 12));
    expect(store.resourceVersion).toBe('10');
    store.applyEvent('MODIFIED', version('a', 12));
    expect(told).toEqual([['5', '12']]);
    expect(store.resourceVersion).toBe('12');
  });

  test('is old news where the watch has overtaken it', () => {
    store.applyEvent('MODIFIED', version('a', 14));
    store.merge(version('a', 12));
    expect(store.get('a')).toEqual(version('a', 14));
  });

  test('is not undone by older events that the watch tells later', () => {
    store.merge(version('a', 14));
    store.applyEvent('MODIFIED', version('a', 12));
    expect(store.get('a')).toEqual(version('a', 14));
    expect(store.resourceVersion).toBe('12');
  });

  test('raises no ghost of an object that was deleted before the answer came', () => {
    store.applyEvent('MODIFIED', version('a', 12));
    store.applyEvent('DELETED', version('a', 13));
    store.merge(version('a', 12));
    expect(store.get('a')).toBeUndefined();
  });

  test('raises no ghost of an object that is not on a list made after it', () => {
    store.replace([], '13');
    store.merge(version('a', 12));
    expect(store.size).toBe(0);
  });

  test('to a write that deletes is gone with the event, whichever comes first', () => {
    store.merge(version('a', 13));
    store.applyEvent('DELETED', version('a', 13));
    expect(store.size).toBe(0);
    store.merge(version('a', 13));
    expect(store.size).toBe(0);
  });

  test('to a DELETE takes out the one that it was about, and the watch does not tell of it again', () => {
    store.remove(version('a', 5));
    expect(store.size).toBe(0);
    store.applyEvent('DELETED', version('a', 13));
    expect(told).toEqual([['5', undefined]]);
    store.merge(version('a', 15, 'second'));
    store.remove(version('a', 5));
    expect(store.get('a')).toEqual(version('a', 15, 'second'));
  });

  test('about an object made anew stays when the end of its forerunner is told', () => {
    store.merge(version('a', 15, 'second'));
    store.applyEvent('DELETED', version('a', 13));
    expect(store.get('a')).toEqual(version('a', 15, 'second'));
    store.applyEvent('ADDED', version('a', 15, 'second'));
    expect(told).toEqual([['5', '15']]);
  });

  test('before the first list is kept where the list is older', () => {
    const fresh = new Store<Stored>();
    fresh.merge(version('b', 12));
    fresh.replace([version('a', 5)], '10');
    expect([...fresh.values()]).toEqual([version('b', 12), version('a', 5)]);
  });
});

describe('a list', () => {
  beforeEach(() => {
    store.replace([version('a', 5), version('b', 6)], '10');
    told = [];
  });

  test('tells what is new, what has changed and what is gone, and nothing else', () => {
    store.replace([version('a', 5), version('c', 12)], '20');
    expect(told).toEqual([
      [undefined, '12'],
      ['6', undefined],
    ]);
    expect(store.resourceVersion).toBe('20');
  });

  test('does not undo what was written after it was made', () => {
    store.merge(version('a', 25));
    store.merge(version('d', 26));
    store.replace([version('a', 5), version('b', 6)], '20');
    expect([...store.values()].map(({ resourceVersion }) => resourceVersion)).toEqual(['25', '6', '26']);
  });

  test('that another stream has overtaken while its pages came says nothing new', () => {
    const askedAt = store.resourceVersion;
    store.applyEvent('MODIFIED', version('a', 22));
    store.applyEvent('DELETED', version('b', 23));
    told = [];
    store.replace([version('a', 5), version('b', 6)], '20', askedAt);
    expect(told).toEqual([]);
    expect([...store.values()]).toEqual([version('a', 22)]);
    expect(store.resourceVersion).toBe('23');
  });

  test('that ends before where the store stood is all there is: etcd was restored', () => {
    store.merge(version('d', 26));
    store.replace([version('a', 3), version('b', 6)], '8');
    expect([...store.values()]).toEqual([version('a', 3), version('b', 6)]);
    expect(store.resourceVersion).toBe('8');
    store.applyEvent('MODIFIED', version('a', 9));
    expect(store.get('a')).toEqual(version('a', 9));
  });
});

describe('how long it has heard nothing', () => {
  beforeEach(() => void jest.useFakeTimers({ now: 0 }));
  afterEach(() => void jest.useRealTimers());

  test.each<[string, () => void]>([
    ['a list', () => store.replace([version('a', 5)], '10')],
    ['an event', () => store.applyEvent('ADDED', version('b', 11))],
    ['an event that it knew already', () => store.applyEvent('ADDED', version('a', 1))],
    ['a bookmark', () => store.bookmark('12')],
  ])('begins anew with %s', (_, hear) => {
    store = new Store();
    store.replace([version('a', 5)], '10');
    jest.advanceTimersByTime(7_000);
    expect(store.heardMs).toBe(7_000);
    hear();
    expect(store.heardMs).toBe(0);
  });

  test('goes on with what we wrote ourselves: that says nothing of the watch', () => {
    store = new Store();
    store.replace([version('a', 5)], '10');
    jest.advanceTimersByTime(7_000);
    store.merge(version('a', 12));
    expect(store.heardMs).toBe(7_000);
  });
});
