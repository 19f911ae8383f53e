import { describe, expect, test } from '@jest/globals';
import type { DirectoryStatus } from '../../src/api/user.ts';
import { shutGate } from '../../src/domain/gates.ts';
import type { Observed } from '../../src/domain/observed.ts';
import {
  aBinding,
  ada,
  aNamespace,
  aPicture,
  aSecret,
  aSession,
  NOW,
  policyWith,
  verified,
} from './pictures.ts';
import { sampleUser } from './sample.ts';

const ELDER = sampleUser({ name: 'elder', uid: 'uid-elder', createdAt: '2029-01-01T00:00:00Z' });
const { status: _status, ...withoutEpoch } = policyWith();
const HANDED_OVER = aNamespace({ kind: 'handed-over', userUID: undefined });

const LATE = new Date('2032-01-01T00:00:00Z');
/** Ada's session is of an epoch before, so she stands in line like everybody else. */
const IN_LINE = ada({ status: { session: aSession({ epoch: 'epoch-before' }) } });
const heardOf = (directory: DirectoryStatus) => ada({ status: { session: aSession(), directory } });

/** What shuts each gate, in the order in which they are asked; later ones may be shut beside it. */
const GATES: readonly (readonly [reason: string, phase: string, change: Partial<Observed>])[] = [
  ['Offboarding', 'Terminating', { user: ada({ metadata: { deletionTimestamp: '2030-01-01T11:00:00Z' } }) }],
  ['NoTokenPolicy', 'Suspended', { policy: undefined }],
  ['TokensSwitchedOff', 'Suspended', { policy: policyWith({ enabled: false }) }],
  ['TokenPolicyPending', 'Suspended', { policy: withoutEpoch }],
  ['LicenseMissing', 'Suspended', { license: { content: { kind: 'Missing' }, at: NOW } }],
  [
    'LicenseInvalid',
    'Suspended',
    { license: { content: { kind: 'Invalid', problem: 'It is not signed.' }, at: NOW } },
  ],
  ['LicenseExpired', 'Suspended', { license: { content: verified(), at: LATE } }],
  ['LicenseNotYetValid', 'Suspended', { license: { content: verified({ notBefore: LATE }), at: NOW } }],
  [
    'DirectoryUnreachable',
    'Suspended',
    {
      policy: policyWith({}, { directory: { state: 'GracePeriodOver', heardAt: '2030-01-01T10:00:00Z' } }),
    },
  ],
  ['SwitchedOff', 'Disabled', { user: ada({ spec: { disabled: true } }) }],
  ['DirectoryMissing', 'Suspended', { user: heardOf({ state: 'Missing', reason: 'NotFound' }) }],
  ['AccountReplaced', 'Suspended', { user: heardOf({ state: 'Inactive', reason: 'Replaced' }) }],
  ['DirectoryInactive', 'Suspended', { user: heardOf({ state: 'Inactive', reason: 'Disabled' }) }],
  ['DirectoryUnknown', 'Suspended', { user: heardOf({ state: 'Unknown', reason: 'GracePeriodOver' }) }],
  [
    'NotInGroups',
    'Suspended',
    {
      policy: policyWith({ onboarding: { groups: ['cn=a,o=x'], maxUsers: 1 } }),
      user: ada({
        metadata: { labels: { 'latchkey.dev/onboarded': 'true' } },
        status: { session: aSession(), directory: { state: 'Active', groups: [] } },
      }),
    },
  ],
  ['UsernameTaken', 'Suspended', { usernameHolder: ELDER }],
  ['AccountHasUser', 'Suspended', { accountHolder: ELDER }],
  [
    'NamespaceReserved',
    'Suspended',
    { settings: { portal: 'https://portal.example.org', operatorNamespace: 'ada' } },
  ],
  [
    'NamespaceTaken',
    'Suspended',
    { namespaceHolder: ELDER, namespace: aNamespace({ userUID: 'uid-elder' }) },
  ],
  ['NamespaceNotOurs', 'Suspended', { namespace: aNamespace({ kind: 'foreign', userUID: undefined }) }],
  [
    'NamespaceOrphaned',
    'Suspended',
    { namespace: aNamespace({ userUID: 'uid-gone' }), namespaceOwnerLives: false },
  ],
  ['SecretNotOurs', 'Suspended', { namespace: HANDED_OVER, secret: aSecret({ userUID: undefined }) }],
  ['RoleBindingNotOurs', 'Suspended', { namespace: HANDED_OVER, binding: aBinding({ userUID: undefined }) }],
  [
    'NoSeat',
    'Suspended',
    { user: IN_LINE, license: { content: verified({ users: 3 }), at: NOW }, aheadForSeat: 3 },
  ],
];
const REASONS = GATES.map(([reason]) => reason);
const NAMESPACE_REASONS: ReadonlySet<string> = new Set(
  REASONS.slice(REASONS.indexOf('NamespaceReserved'), -1),
);

describe('every gate', () => {
  test('is open where all is well, signed in or not', () => {
    expect(shutGate(aPicture())).toBeUndefined();
    expect(shutGate(aPicture({ user: ada({ status: {} }) }))).toBeUndefined();
  });

  test.each<DirectoryStatus>([
    { state: 'Active' },
    { state: 'Unknown', reason: 'Unreadable' },
    { id: 'id-ada' },
  ])('is open where the directory says %j', (directory) => {
    expect(shutGate(aPicture({ user: heardOf(directory) }))).toBeUndefined();
  });

  test('is open before the namespace is made, and in one that was handed over', () => {
    expect(
      shutGate(aPicture({ namespace: undefined, secret: undefined, binding: undefined })),
    ).toBeUndefined();
    expect(shutGate(aPicture({ namespace: HANDED_OVER }))).toBeUndefined();
    expect(
      shutGate(aPicture({ namespace: HANDED_OVER, secret: undefined, binding: undefined })),
    ).toBeUndefined();
  });
});

describe('a gate', () => {
  test.each(GATES)('says %s, with the phase %s, when it is shut', (reason, phase, change) => {
    expect(shutGate(aPicture(change))).toMatchObject({ reason, phase });
  });

  test.each(GATES)(
    'that says %s is for everyone only where the policy or the licence shuts it',
    (reason, _, change) => {
      const forEveryone =
        ['NoTokenPolicy', 'TokensSwitchedOff', 'TokenPolicyPending', 'DirectoryUnreachable'].includes(
          reason,
        ) || reason.startsWith('License');
      expect(shutGate(aPicture(change))?.forEveryone ?? false).toBe(forEveryone);
    },
  );

  test.each(GATES)(
    'that says %s tells people in a sentence, with nothing but names in it',
    (_, __, change) => {
      const message = shutGate(aPicture(change))?.message ?? '';
      expect(message).toMatch(/^[A-Z].*\.$/);
      expect(message).not.toMatch(/uid-|epoch|undefined/);
    },
  );
});

describe('of two gates that are shut, the first speaks:', () => {
  const pairs = GATES.flatMap((first, index) =>
    GATES.slice(index + 1)
      // One namespace is in one state.
      .filter(([reason]) => !(NAMESPACE_REASONS.has(first[0]) && NAMESPACE_REASONS.has(reason)))
      // A policy that is not there is neither off nor pending, and one change of a User hides another.
      .filter(([, , change]) => Object.keys(change).every((key) => !(key in first[2])))
      .map((second) => [first[0], second[0], { ...second[2], ...first[2] }] as const),
  );
  test.each(pairs)('%s before %s', (reason, _, change) => {
    expect(shutGate(aPicture(change))?.reason).toBe(reason);
  });

  test('Offboarding before SwitchedOff', () => {
    const user = ada({ metadata: { deletionTimestamp: '2030-01-01T11:00:00Z' }, spec: { disabled: true } });
    expect(shutGate(aPicture({ user }))?.reason).toBe('Offboarding');
  });
});

test('a policy that is being deleted counts no more, once our finalizer is off', () => {
  const going = (finalizers: string[]) =>
    aPicture({ policy: policyWith({}, {}, { deletionTimestamp: '2030-01-01T11:00:00Z', finalizers }) });
  expect(shutGate(going(['example.org/other']))?.reason).toBe('NoTokenPolicy');
  expect(shutGate(going(['example.org/other', 'latchkey.dev/policy']))).toBeUndefined();
});

test('whoever has to give way is told to whom', () => {
  expect(shutGate(aPicture({ usernameHolder: ELDER }))?.message).toContain('The older User elder');
  expect(shutGate(aPicture({ accountHolder: ELDER }))?.message).toContain('the older User elder already');
  const change = { namespaceHolder: ELDER, namespace: aNamespace({ userUID: 'uid-elder' }) };
  expect(shutGate(aPicture(change))?.message).toContain('The older User elder has the namespace ada');
});

describe('a seat of the licence', () => {
  const license = { content: verified({ users: 3 }), at: NOW };
  const inLine = (aheadForSeat: number, user = ada({ status: {} })) =>
    shutGate(aPicture({ user, license, aheadForSeat }))?.reason;

  test('is free for as many as the licence is for', () => {
    expect(inLine(2)).toBeUndefined();
    expect(inLine(3)).toBe('NoSeat');
  });

  test('is kept by whoever is signed in, whatever becomes of the licence', () => {
    expect(inLine(1_000, ada())).toBeUndefined();
  });

  test('is not kept by a session that is over', () => {
    expect(inLine(3, IN_LINE)).toBe('NoSeat');
    expect(inLine(2, IN_LINE)).toBeUndefined();
  });

  test('is free for everybody where no licence is required', () => {
    expect(shutGate(aPicture({ user: ada({ status: {} }), aheadForSeat: 1_000_000 }))).toBeUndefined();
  });
});

test('a licence that was renewed too late lets nobody in before the sessions of before have ended', () => {
  const policy = policyWith(
    {},
    {
      license: {
        state: 'Valid',
        expiresAt: '2029-12-01T00:00:00Z',
        latestTime: '2029-11-01T00:00:00Z',
      },
    },
  );
  const late = { content: verified({}, new Date('2029-12-02T00:00:00Z')), at: NOW };
  const early = { content: verified({}, new Date('2029-11-20T00:00:00Z')), at: NOW };
  expect(shutGate(aPicture({ policy, license: late }))).toMatchObject({
    reason: 'LicensePending',
    forEveryone: true,
  });
  expect(shutGate(aPicture({ policy, license: early }))).toBeUndefined();
});
