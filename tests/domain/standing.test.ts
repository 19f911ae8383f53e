// Spells and the verdicts that they make.
import { describe, expect, test } from '@jest/globals';
import { standingAt, type Spell } from '../../src/domain/standing.ts';
import { later, NOW } from './pictures.ts';

const ms = (offset: number) => later(offset).getTime();
const at = (spells: readonly Spell[], endsSession?: Parameters<typeof standingAt>[2]) =>
  standingAt(spells, NOW, endsSession);

describe('an account', () => {
  test('without a spell is active, for as long as nobody touches it', () => {
    expect(at([])).toEqual({ state: 'Active' });
  });

  test.each(['Disabled', 'Expired', 'NotYetValid', 'Excluded'] as const)(
    'that is %s is inactive',
    (reason) => {
      expect(at([{ reason }])).toEqual({ state: 'Inactive', reason });
    },
  );

  test('that will expire is active until then, and inactive from that very moment', () => {
    const spells: Spell[] = [{ reason: 'Expired', from: ms(1) }];
    expect(at(spells)).toEqual({ state: 'Active', changesAt: later(1) });
    expect(standingAt(spells, later(1))).toEqual({ state: 'Inactive', reason: 'Expired' });
  });

  test('that begins and ends tells each change ahead', () => {
    const spells: Spell[] = [
      { reason: 'NotYetValid', until: ms(10) },
      { reason: 'Expired', from: ms(20) },
    ];
    expect(at(spells)).toEqual({ state: 'Inactive', reason: 'NotYetValid', changesAt: later(10) });
    expect(standingAt(spells, later(10))).toEqual({ state: 'Active', changesAt: later(20) });
    expect(standingAt(spells, later(20))).toEqual({ state: 'Inactive', reason: 'Expired' });
  });

  test('whose validity ends before it begins is never active', () => {
    const spells: Spell[] = [
      { reason: 'NotYetValid', until: ms(20) },
      { reason: 'Expired', from: ms(10) },
    ];
    expect(standingAt(spells, later(15))).toMatchObject({ state: 'Inactive', reason: 'Expired' });
  });

  test('with a spell that ends before it begins is active', () => {
    expect(at([{ reason: 'Locked', from: ms(10), until: ms(-10) }], ['Locked'])).toMatchObject({
      state: 'Active',
    });
  });

  test('that cannot be read is unknown, never inactive', () => {
    expect(at([{ reason: 'Unreadable', attribute: 'accountExpires' }])).toEqual({
      state: 'Unknown',
      reason: 'Unreadable',
      attribute: 'accountExpires',
    });
  });

  test('that is disabled stays so whatever else cannot be read', () => {
    expect(at([{ reason: 'Unreadable' }, { reason: 'Disabled' }])).toMatchObject({
      state: 'Inactive',
      reason: 'Disabled',
    });
  });
});

describe.each(['Locked', 'PasswordExpired'] as const)('an account that is %s', (reason) => {
  test('keeps its session where the policy says nothing, and no change of it is waited for', () => {
    expect(at([{ reason, until: ms(10) }])).toEqual({ state: 'Active' });
  });

  test('loses it where the policy says so, until the spell is over', () => {
    expect(at([{ reason, until: ms(10) }], [reason])).toEqual({
      state: 'Inactive',
      reason,
      changesAt: later(10),
    });
    expect(standingAt([{ reason, until: ms(10) }], later(10), [reason])).toEqual({ state: 'Active' });
  });
});
