// What the directory's word makes of the status of a User.
import { describe, expect, test } from '@jest/globals';
import type { TokenPolicySpec } from '../../src/api/token-policy.ts';
import type { DirectoryStatus } from '../../src/api/user.ts';
import { afterSignIn, decideDirectory } from '../../src/domain/directory.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { Spell } from '../../src/domain/standing.ts';
import { ada, aSession, later, MINUTE_MS, NOW, policyWith } from './pictures.ts';

const SINCE = '2030-01-01T09:00:00Z';
const NOW_TEXT = '2030-01-01T12:00:00Z';
const ACTIVE: DirectoryStatus = { state: 'Active', since: SINCE, id: 'id-ada' };
const DISABLED: DirectoryStatus = { state: 'Inactive', reason: 'Disabled', since: SINCE, id: 'id-ada' };
const UNREADABLE = { reason: 'Unreadable', attribute: 'nsAccountLock' } as const;
const UNKNOWN: DirectoryStatus = { state: 'Unknown', ...UNREADABLE, since: SINCE, id: 'id-ada' };

const found = (spells: Spell[] = [], id?: string): Finding => ({
  state: 'Found',
  spells,
  ...(id !== undefined && { id }),
});
const MISSING: Finding = { state: 'Missing', spells: [] };

interface Case {
  old?: DirectoryStatus | undefined;
  finding?: Finding | undefined;
  askedAt?: Date | undefined;
  spec?: Partial<TokenPolicySpec['directory']>;
  session?: ReturnType<typeof aSession> | undefined;
}

function decided({ old, finding, spec = {}, session = aSession(), ...rest }: Case) {
  const { askedAt } = { askedAt: NOW, ...rest };
  const user = ada({ status: { session, ...(old && { directory: old }) } });
  const policy = policyWith({ directory: { onUnreachable: 'Keep', gracePeriod: '1h', ...spec } });
  return decideDirectory(user, policy, { finding, askedAt }, NOW);
}

describe('what the directory says', () => {
  test.each<[string, Case, DirectoryStatus]>([
    ['an account that is good', { finding: found([], 'id-ada') }, { state: 'Active', since: NOW_TEXT }],
    ['the same again', { old: ACTIVE, finding: found([], 'id-ada') }, ACTIVE],
    [
      'an account that is disabled',
      { old: ACTIVE, finding: found([{ reason: 'Disabled' }], 'id-ada') },
      { state: 'Inactive', reason: 'Disabled', since: NOW_TEXT, id: 'id-ada' },
    ],
    [
      'an account that is good again',
      { old: DISABLED, finding: found([], 'id-ada') },
      { state: 'Active', since: NOW_TEXT, id: 'id-ada' },
    ],
    [
      'an account that is there no more',
      { old: ACTIVE, finding: MISSING },
      { state: 'Missing', reason: 'NotFound', since: NOW_TEXT, id: 'id-ada' },
    ],
    [
      'another account under the same name',
      { old: ACTIVE, finding: found([], 'id-eve') },
      { state: 'Inactive', reason: 'Replaced', since: NOW_TEXT, id: 'id-ada' },
    ],
    ['an account whose id cannot be read any more', { old: ACTIVE, finding: found() }, ACTIVE],
    [
      'another reason for the same state',
      { old: DISABLED, finding: found([{ reason: 'Expired', from: 0 }], 'id-ada') },
      { ...DISABLED, reason: 'Expired' },
    ],
    [
      'an account that cannot be read',
      { old: ACTIVE, finding: found([UNREADABLE]) },
      { ...UNKNOWN, since: NOW_TEXT },
    ],
    [
      'several accounts',
      { old: ACTIVE, finding: { state: 'Ambiguous', spells: [] } },
      { state: 'Unknown', reason: 'Ambiguous', since: NOW_TEXT, id: 'id-ada' },
    ],
    ['an account that is locked', { old: ACTIVE, finding: found([{ reason: 'Locked' }], 'id-ada') }, ACTIVE],
    [
      'an account that is locked, where that ends sessions',
      { old: ACTIVE, finding: found([{ reason: 'Locked' }], 'id-ada'), spec: { endSessionOn: ['Locked'] } },
      { state: 'Inactive', reason: 'Locked', since: NOW_TEXT, id: 'id-ada' },
    ],
  ])('%s', (_, change, status) => {
    expect(decided(change).status).toEqual(status);
  });

  test.each([
    ['nothing is known yet', { finding: undefined }],
    ['nobody was asked', { finding: MISSING, askedAt: undefined }],
  ])('stands as it was while %s, so that a restart changes nothing', (_, change) => {
    for (const old of [ACTIVE, DISABLED, undefined]) expect(decided({ ...change, old }).status).toBe(old);
  });

  test.each([DISABLED, { ...DISABLED, state: 'Missing' as const }])(
    'does not make %j active by being unknown',
    (old) => {
      expect(decided({ old, finding: found([{ reason: 'Unreadable' }]) }).status).toBe(old);
    },
  );

  test('changes by itself at a time that is known ahead', () => {
    const finding = found([{ reason: 'Expired', from: later(MINUTE_MS).getTime() }], 'id-ada');
    expect(decided({ old: ACTIVE, finding })).toEqual({ status: ACTIVE, lookAgainAt: later(MINUTE_MS) });
  });
});

describe('a question that was asked before the sign-in', () => {
  const session = aSession({ startedAt: NOW_TEXT });
  const finding = found([{ reason: 'Disabled' }], 'id-ada');

  test.each([-1, 0, 999])(
    '%d ms after the second of the sign-in ends no session, and is looked at again',
    (ms) => {
      const askedAt = later(ms);
      expect(decided({ old: ACTIVE, finding, askedAt, session })).toEqual({
        status: ACTIVE,
        lookAgainAt: later(1_000),
      });
    },
  );

  test('is looked at again when what it has shown comes about', () => {
    const expiring = found([{ reason: 'Expired', from: later(MINUTE_MS).getTime() }], 'id-ada');
    expect(decided({ old: ACTIVE, finding: expiring, askedAt: NOW, session })).toEqual({
      status: ACTIVE,
      lookAgainAt: later(MINUTE_MS),
    });
  });

  test('asked a second later, it does', () => {
    expect(decided({ old: ACTIVE, finding, askedAt: later(1_000), session }).status).toMatchObject({
      state: 'Inactive',
    });
  });
});

describe('an account that stays unknown', () => {
  const finding = found([UNREADABLE]);
  const spec = { onUnreachable: 'Revoke', gracePeriod: '4h' } as const;

  test('keeps its token for as long as it takes, unless the policy says otherwise', () => {
    expect(decided({ old: UNKNOWN, finding })).toEqual({ status: UNKNOWN, lookAgainAt: undefined });
  });

  test('keeps it for the grace period where the policy takes it away', () => {
    expect(decided({ old: UNKNOWN, finding, spec })).toEqual({
      status: UNKNOWN,
      lookAgainAt: later(60 * MINUTE_MS),
    });
  });

  test('loses it after the grace period, and that stays so', () => {
    const over = { ...UNKNOWN, reason: 'GracePeriodOver' };
    const short = { ...spec, gracePeriod: '3h' };
    expect(decided({ old: UNKNOWN, finding, spec: short })).toEqual({ status: over, lookAgainAt: undefined });
    expect(decided({ old: over, finding, spec: short }).status).toEqual(over);
    expect(decided({ old: over, finding: undefined, spec: short }).status).toEqual(over);
  });

  test('is let in again where the policy gives it more time', () => {
    const over = { ...UNKNOWN, reason: 'GracePeriodOver' };
    const long = { ...spec, gracePeriod: '4h' };
    for (const loosened of [long, { ...spec, onUnreachable: 'Keep' as const }])
      expect(decided({ old: over, finding, spec: loosened }).status).toEqual(UNKNOWN);
  });

  test('gains no time by being unknown for another reason', () => {
    const ambiguous: Finding = { state: 'Ambiguous', spells: [] };
    expect(decided({ old: UNKNOWN, finding: ambiguous, spec }).status).toEqual({
      state: 'Unknown',
      reason: 'Ambiguous',
      since: SINCE,
      id: 'id-ada',
    });
  });
});

describe('after a sign-in', () => {
  test('the account is active, and its id is kept', () => {
    expect(afterSignIn(undefined, 'id-ada', NOW)).toEqual({ state: 'Active', since: NOW_TEXT, id: 'id-ada' });
    expect(afterSignIn(DISABLED, 'id-ada', NOW)).toEqual({ state: 'Active', since: NOW_TEXT, id: 'id-ada' });
    expect(afterSignIn(ACTIVE, undefined, NOW)).toEqual(ACTIVE);
    expect(afterSignIn(undefined, undefined, NOW)).toEqual({ state: 'Active', since: NOW_TEXT });
  });
});
