import { describe, expect, test } from '@jest/globals';
import type { Hold, HoldCause, TakenAway } from '../../src/api/token-policy.ts';
import {
  decideHolds,
  isAccident,
  WINDOW_MS,
  type HoldsObserved,
  type Permission,
  type Subject,
} from '../../src/domain/holds.ts';
import { later, NOW } from './pictures.ts';

test.each([
  [3, 3, false],
  [9, 9, false],
  [9, 10, false],
  [10, 10, true],
  [10, 50, true],
  [10, 51, false],
  [11, 55, true],
  [11, 1_000, false],
  [199, 1_000, false],
  [200, 1_000, true],
])('%i of %i Users at once are an accident: %s', (affected, of, accident) => {
  expect(isAccident(affected, of)).toBe(accident);
});

const users = (count: number, change: Partial<Subject> = {}, from = 0): Subject[] =>
  Array.from({ length: count }, (_, index) => ({ key: `uid-${from + index}`, certain: true, ...change }));

interface Situation {
  readonly subjects: readonly Subject[];
  readonly standing?: number;
  readonly cause?: HoldCause;
  readonly holds?: readonly Hold[];
  readonly taken?: readonly TakenAway[];
  readonly confirmed?: readonly string[];
}

function decided(
  { subjects, standing = 0, cause = 'Deleting', holds = [], taken = [], confirmed = [] }: Situation,
  now = NOW,
) {
  const observed: HoldsObserved = {
    holds,
    taken,
    confirmed: new Set(confirmed),
    affected: [{ cause, subjects, standing }],
    freshId: () => 'fresh',
  };
  const decision = decideHolds(observed, now);
  const permissions = decision.permissions.get(cause) ?? new Map<string, Permission>();
  const given = subjects.filter(({ key }) => permissions.get(key)?.given).length;
  return { ...decision, permissions, given };
}

const aHold = (change: Partial<Hold> = {}): Hold => ({
  id: 'open',
  cause: 'Deleting',
  affected: 12,
  of: 30,
  since: '2030-01-01T11:00:00Z',
  confirmed: false,
  ...change,
});

describe('at once', () => {
  test.each<[string, number, number]>([
    ['three of three', 3, 0],
    ['nine of nine', 9, 0],
    ['eleven of a thousand', 11, 989],
    ['a hundred and ninety-nine of a thousand', 199, 801],
  ])('%s Users go without asking', (_, count, standing) => {
    const { holds, taken, given } = decided({ subjects: users(count), standing });
    expect(holds).toEqual([]);
    expect(given).toBe(count);
    expect(taken).toEqual([{ cause: 'Deleting', at: '2030-01-01T12:00:00Z', users: count }]);
  });

  test('twelve of thirty are held, every one of them, under an id of their own', () => {
    const { holds, taken, permissions } = decided({ subjects: users(12), standing: 18 });
    expect(holds).toEqual([
      {
        id: 'fresh',
        cause: 'Deleting',
        affected: 12,
        of: 30,
        since: '2030-01-01T12:00:00Z',
        confirmed: false,
      },
    ]);
    expect(new Set([...permissions.values()].map((each) => JSON.stringify(each)))).toEqual(
      new Set(['{"given":false,"hold":"fresh"}']),
    );
    expect(permissions.size).toBe(12);
    expect(taken).toEqual([]);
  });

  test('a deleted CustomResourceDefinition holds even one', () => {
    expect(decided({ subjects: users(1), standing: 1_000, cause: 'CRDDeleting' }).holds).toMatchObject([
      { affected: 1, cause: 'CRDDeleting' },
    ]);
  });

  test('one that no admin can have meant is held, and with it whoever comes for the same cause', () => {
    const subjects = [...users(1, { unmeant: true }), ...users(2, {}, 1)];
    const { holds, given } = decided({ subjects, standing: 1_000, cause: 'Vanished' });
    expect(holds).toMatchObject([{ affected: 3 }]);
    expect(given).toBe(0);
  });

  test('what the cache only suspects counts, and is not let go', () => {
    const few = decided({ subjects: [...users(2), ...users(3, { certain: false }, 2)], standing: 9 });
    expect(few).toMatchObject({ given: 2, holds: [], taken: [{ users: 2 }] });
    const many = decided({ subjects: [...users(2), ...users(8, { certain: false }, 2)], standing: 9 });
    expect(many).toMatchObject({ given: 0, holds: [{ affected: 10 }] });
  });
});

describe('one by one', () => {
  /** Deletes `count` of `all` Users, each `pauseMs` after the one before, with nothing remembered but the status. */
  function stream(count: number, all: number, pauseMs: number) {
    let holds: readonly Hold[] = [];
    let taken: readonly TakenAway[] = [];
    let gone = 0;
    for (let index = 0; index < count; index++) {
      const waiting = users(index + 1 - gone, {}, gone);
      const decision = decided(
        { subjects: waiting, standing: all - index - 1, holds, taken },
        later(index * pauseMs),
      );
      ({ holds, taken } = decision);
      gone += decision.given;
    }
    return { gone, holds, taken };
  }

  test.each([1, 100, 1_000, 30_000])('every %i ms, of thirty at most nine go', (pauseMs) => {
    const { gone, holds } = stream(30, 30, pauseMs);
    expect(gone).toBe(9);
    expect(holds).toMatchObject([{ affected: 21 }]);
  });

  test('of a thousand one by one less than a fifth goes', () => {
    expect(stream(1_000, 1_000, 10).gone).toBe(199);
  });

  test('every two minutes they are let go: that is what an admin does by hand', () => {
    expect(stream(30, 30, 120_000)).toMatchObject({ gone: 30, holds: [] });
  });

  test('what is remembered is bounded: a line for each minute of the window', () => {
    expect(stream(900, 100_000, 1_000).taken.length).toBeLessThanOrEqual(WINDOW_MS / 60_000 + 1);
  });

  test('each cause has a budget of its own', () => {
    const taken = [{ cause: 'Vanished', at: '2030-01-01T11:59:00Z', users: 9 }] as const;
    expect(decided({ subjects: users(1), standing: 20, taken })).toMatchObject({ given: 1, holds: [] });
  });

  test('a clock that is set back forgets nothing', () => {
    const taken = [{ cause: 'Deleting', at: '2030-01-01T13:00:00Z', users: 9 }] as const;
    expect(decided({ subjects: users(1), standing: 20, taken }).given).toBe(0);
  });
});

describe('a hold', () => {
  test('takes in whoever comes later, however few and however long after', () => {
    const subjects = [...users(12, { hold: 'open' }), ...users(1, {}, 12)];
    const { holds, given } = decided({ subjects, standing: 1_000, holds: [aHold()] }, later(24 * 3_600_000));
    expect(holds).toEqual([aHold({ affected: 13, of: 1_013 })]);
    expect(given).toBe(0);
  });

  test('stays until its last member is gone, though they are few by then', () => {
    expect(decided({ subjects: users(1, { hold: 'open' }), standing: 18, holds: [aHold()] })).toMatchObject({
      holds: [{ id: 'open', affected: 1 }],
      given: 0,
    });
  });

  test('ends by itself with its cause', () => {
    expect(decided({ subjects: [], standing: 30, holds: [aHold()] }).holds).toEqual([]);
  });

  test('that is confirmed goes on, for those who were held, and is not counted', () => {
    const { holds, taken, given } = decided({
      subjects: users(12, { hold: 'open' }),
      standing: 18,
      holds: [aHold()],
      confirmed: ['open'],
    });
    expect(given).toBe(12);
    expect(holds).toEqual([aHold({ confirmed: true })]);
    expect(taken).toEqual([]);
  });

  test('that is confirmed lets nobody go who was not held when it was', () => {
    const late = users(10, {}, 12);
    const { holds, given, permissions } = decided({
      subjects: [...users(12, { hold: 'open' }), ...late],
      standing: 18,
      holds: [aHold()],
      confirmed: ['open'],
    });
    expect(given).toBe(12);
    expect(holds).toMatchObject([
      { id: 'open', confirmed: true, affected: 12 },
      { id: 'fresh', confirmed: false, affected: 10 },
    ]);
    for (const { key } of late) expect(permissions.get(key)).toEqual({ given: false, hold: 'fresh' });
  });

  test('that is confirmed stays until the last of its members has begun, also over a restart', () => {
    const situation = { standing: 18, holds: [aHold()], confirmed: ['open'] };
    const given = users(2, { hold: 'open', given: true });
    expect(decided({ ...situation, subjects: given })).toMatchObject({
      holds: [{ id: 'open', affected: 2 }],
      given: 2,
    });
    expect(decided({ ...situation, subjects: [] }).holds).toEqual([]);
  });

  test('counts nobody who has a permission already', () => {
    const subjects = [...users(8, { given: true }), ...users(2, {}, 8)];
    const taken = [{ cause: 'Deleting', at: '2030-01-01T12:00:00Z', users: 7 }] as const;
    expect(decided({ subjects, standing: 0, taken })).toMatchObject({ holds: [], given: 10 });
  });

  test('of yesterday, confirmed, confirms nothing of today', () => {
    expect(decided({ subjects: users(12), standing: 18, confirmed: ['yesterday'] })).toMatchObject({
      holds: [{ id: 'fresh', confirmed: false }],
      given: 0,
    });
  });

  test.each<[string, Partial<Situation>]>([
    ['that is over', { holds: [], confirmed: ['open'] }],
    ['of another cause', { holds: [aHold({ cause: 'Inactive' })], confirmed: ['open'] }],
  ])('a mark of a hold %s is worth nothing', (_, change) => {
    expect(decided({ subjects: users(12, { hold: 'open' }), standing: 18, ...change })).toMatchObject({
      given: 0,
      holds: [{ id: 'fresh' }],
    });
  });

  test('is confirmed by the annotation alone: what the status says of itself counts for nothing', () => {
    expect(
      decided({
        subjects: users(12, { hold: 'open' }),
        standing: 18,
        holds: [aHold({ confirmed: true })],
      }),
    ).toMatchObject({ given: 0, holds: [{ id: 'open', confirmed: false }] });
  });
});
