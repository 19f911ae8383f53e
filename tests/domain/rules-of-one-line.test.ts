import { describe, expect, test } from '@jest/globals';
import { holder } from '../../src/domain/claimants.ts';
import { timestamp, withCondition } from '../../src/domain/conditions.ts';
import { durationMs } from '../../src/duration.ts';
import { effectiveNamespace, effectiveUsername, foldUsername } from '../../src/domain/effective.ts';
import { sampleUser } from './sample.ts';

describe('of several claimants', () => {
  const old = sampleUser({ name: 'old', uid: 'z', createdAt: '2030-01-01T00:00:00Z' });
  const young = sampleUser({ name: 'young', uid: 'a', createdAt: '2030-01-01T00:00:01Z' });
  const twin = sampleUser({ name: 'twin', uid: 'b', createdAt: '2030-01-01T00:00:01Z' });

  test('the oldest holds the name, and the UID settles a tie, in whatever order they come', () => {
    expect(holder([young, old, twin])).toBe(old);
    expect(holder([twin, young])).toBe(young);
    expect(holder([young, twin])).toBe(young);
    expect(holder([])).toBeUndefined();
  });

  test('made within one second the one keeps the name that has it, whatever the UIDs', () => {
    const settled = { ...twin, status: { username: 'twin' } };
    expect(holder([young, settled])).toBe(settled);
    expect(holder([settled, young])).toBe(settled);
    expect(holder([old, settled])).toBe(old);
  });
});

describe('a condition', () => {
  const ready = { type: 'Ready', status: 'True' as const, reason: 'A', message: 'a' };
  const first = withCondition([], ready, new Date('2030-01-01T00:00:00Z'));

  test('keeps its time while its status stays, whatever its reason', () => {
    const [next] = withCondition(first, { ...ready, reason: 'B' }, new Date('2030-01-02T00:00:00Z'));
    expect(next).toMatchObject({ reason: 'B', lastTransitionTime: '2030-01-01T00:00:00Z' });
  });

  test('gets a new time with a new status, and leaves the others alone', () => {
    const both = withCondition(first, { ...ready, type: 'Other' }, new Date('2030-01-02T00:00:00Z'));
    const next = withCondition(both, { ...ready, status: 'False' }, new Date('2030-01-03T00:00:00Z'));
    expect(next.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ['Other', '2030-01-02T00:00:00Z'],
      ['Ready', '2030-01-03T00:00:00Z'],
    ]);
  });

  test('counts time in whole seconds', () => {
    expect(timestamp(new Date('2030-01-01T00:00:00.999Z'))).toBe('2030-01-01T00:00:00Z');
  });
});

test.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['24h', 86_400_000],
])('%s is %i ms', (text, expected) => {
  expect(durationMs(text)).toBe(expected);
});

test.each(['', '30', '1h30m', '0s', '-5m', '1d', ' 30m', '30 m'])('%j is no duration', (text) => {
  expect(() => durationMs(text)).toThrow(RangeError);
});

test('a User claims its own name as username and namespace, unless it says otherwise', () => {
  expect([effectiveUsername(sampleUser()), effectiveNamespace(sampleUser())]).toEqual(['ada', 'ada']);
  const other = sampleUser({ spec: { username: 'Ada@Example.org', namespace: 'lovelace' } });
  expect([effectiveUsername(other), effectiveNamespace(other)]).toEqual(['Ada@Example.org', 'lovelace']);
});

test.each([
  ['ADA', 'ada'],
  ['Ａｄａ', 'ada'],
  ['ÉLISE', 'élise'],
  ['ﬁona', 'fiona'],
])('%s folds to %s', (typed, folded) => {
  expect(foldUsername(typed)).toBe(folded);
});
