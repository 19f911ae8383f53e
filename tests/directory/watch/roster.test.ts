// What is known of each username, and when it is doubted.
import { beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { roster, type Account, type Roster } from '../../../src/directory/watch/roster.ts';
import type { Wanted } from '../../../src/directory/watch/watch.ts';

const T0 = new Date('2030-06-15T12:00:00Z');
const T1 = new Date('2030-06-15T12:00:10Z');

let names: Set<string>;
let known: Roster;
const wanted: Wanted = {
  has: (folded) => names.has(folded),
  all: () => names,
  spelling: (folded) => folded,
};
beforeEach(() => {
  names = new Set(['ada', 'grace']);
  known = roster(wanted);
  known.ask(T0);
});

const account = (id: string, ...usernames: string[]): Account => ({ key: id, id, usernames, spells: [] });
const disabled = (id: string, ...usernames: string[]): Account => ({
  ...account(id, ...usernames),
  spells: [{ reason: 'Disabled' }],
});
const state = (username: string) => known.find(username).finding?.state;

function sweepOf(...accounts: Account[]): void {
  known.beginSweep();
  for (const each of accounts) known.note(each);
  known.endSweep();
}

describe('of a username', () => {
  test('nothing is known before anybody was asked', () => {
    expect(roster(wanted).find('ada')).toEqual({ finding: undefined, askedAt: undefined });
  });

  test('an account that was shown is known, with its spells, as of the question', () => {
    known.note(disabled('1', 'ada'));
    expect(known.find('ada')).toEqual({
      finding: { state: 'Found', id: '1', spells: [{ reason: 'Disabled' }] },
      askedAt: T0,
    });
  });

  test('what a later question did not contradict stands by it', () => {
    known.note(account('1', 'ada'));
    known.ask(T1);
    expect(known.find('ada').askedAt).toEqual(T0);
    known.answered();
    expect(known.find('ada').askedAt).toEqual(T1);
  });

  test('an account of nobody who is wanted is not kept', () => {
    known.note(account('1', 'linus'));
    expect(known.find('linus').finding).toBeUndefined();
    expect(known.takeChanged()).toEqual([]);
  });

  test('a change is told once, and what stays the same is not', () => {
    known.note(account('1', 'ada'));
    expect(known.takeChanged()).toEqual(['ada']);
    known.note(account('1', 'ada'));
    expect(known.takeChanged()).toEqual([]);
    known.note(disabled('1', 'ada'));
    expect(known.takeChanged()).toEqual(['ada']);
  });
});

describe('a username is doubted, and nothing else said of it,', () => {
  test('when a sweep did not show it', () => {
    sweepOf(account('1', 'ada'), account('2', 'grace'));
    sweepOf(account('2', 'grace'));
    expect(known.doubtful()).toEqual(['ada']);
    expect(state('ada')).toBe('Found');
  });

  test('when another account bears it', () => {
    known.note(account('1', 'ada'));
    known.note(disabled('2', 'ada'));
    expect(known.doubtful()).toEqual(['ada']);
    expect(known.find('ada').finding).toEqual({ state: 'Found', id: '1', spells: [] });
  });

  test('when its account bears it no more', () => {
    known.note(account('1', 'ada'));
    known.note(account('1', 'grace'));
    expect(known.doubtful()).toEqual(['ada']);
    expect(state('ada')).toBe('Found');
  });

  test('but not when a sweep broke off before it came to it', () => {
    sweepOf(account('1', 'ada'), account('2', 'grace'));
    known.beginSweep();
    known.note(account('2', 'grace'));
    expect(known.doubtful()).toEqual([]);
  });

  test('nor again when it is known to be missing', () => {
    sweepOf(account('1', 'ada'));
    known.settle(['grace'], [], true);
    sweepOf(account('1', 'ada'));
    expect(known.doubtful()).toEqual([]);
  });
});

describe('asked for by name,', () => {
  beforeEach(() => {
    known.note(account('1', 'ada'));
    known.doubt('ada');
  });

  test('an account that the directory has not is missing', () => {
    known.settle(['ada'], [], true);
    expect(state('ada')).toBe('Missing');
    expect(known.doubtful()).toEqual([]);
  });

  test('and one that may be behind a reference to another server is not', () => {
    known.settle(['ada'], [], false);
    expect(state('ada')).toBe('Ambiguous');
  });

  test('one that was replaced is the other one', () => {
    known.settle(['ada'], [account('2', 'ada')], true);
    expect(known.find('ada').finding).toMatchObject({ state: 'Found', id: '2' });
  });

  test('two accounts are ambiguous, until only one is left', () => {
    known.settle(['ada'], [account('1', 'ada'), account('2', 'ada')], true);
    expect(state('ada')).toBe('Ambiguous');
    known.note(account('1', 'ada'));
    expect(known.doubtful()).toEqual(['ada']);
    known.settle(['ada'], [account('1', 'ada')], true);
    expect(state('ada')).toBe('Found');
  });

  test('one account that comes twice is one', () => {
    known.settle(['ada'], [account('1', 'ada'), account('1', 'ada')], true);
    expect(known.find('ada').finding).toEqual({ state: 'Found', id: '1', spells: [] });
  });

  test('but not where the two contradict each other', () => {
    known.settle(['ada'], [account('1', 'ada'), disabled('1', 'ada')], true);
    expect(state('ada')).toBe('Ambiguous');
  });

  test('somebody who is not wanted any more is not kept', () => {
    names.delete('ada');
    known.settle(['ada'], [], true);
    expect(known.doubtful()).toEqual([]);
    expect(known.takeChanged()).toEqual(['ada']);
  });
});

test('of Users that are gone nothing is kept after the next sweep', () => {
  sweepOf(account('1', 'ada'), account('2', 'grace'));
  names.delete('ada');
  sweepOf(account('1', 'ada'), account('2', 'grace'));
  expect(known.find('ada').finding).toBeUndefined();
});

test('nobody is ever missing who was not asked for by name and found nowhere', () => {
  const username = fc.constantFrom('ada', 'grace', 'linus');
  const some = fc.record({
    id: fc.constantFrom('1', '2', '3'),
    usernames: fc.uniqueArray(username, { maxLength: 2 }),
  });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('note' as const), account: some }),
    fc.record({ kind: fc.constant('begin' as const) }),
    fc.record({ kind: fc.constant('end' as const) }),
    fc.record({ kind: fc.constant('settle' as const), accounts: fc.array(some), isWhole: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      known = roster(wanted);
      const missing = new Set<string>();
      for (const each of steps) {
        if (each.kind === 'begin') known.beginSweep();
        else if (each.kind === 'end') known.endSweep();
        else if (each.kind === 'note') {
          known.note(account(each.account.id, ...each.account.usernames));
          for (const name of each.account.usernames) missing.delete(name);
        } else {
          const asked = known.doubtful();
          const accounts = each.accounts.map(({ id, usernames }) => account(id, ...usernames));
          known.settle(asked, accounts, each.isWhole);
          for (const name of asked)
            if (each.isWhole && !accounts.some(({ usernames }) => usernames.includes(name)))
              missing.add(name);
            else missing.delete(name);
        }
        for (const name of ['ada', 'grace']) if (state(name) === 'Missing') expect(missing).toContain(name);
      }
    }),
  );
});
