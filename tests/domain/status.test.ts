import { describe, expect, test } from '@jest/globals';
import type { UserStatus } from '../../src/api/user.ts';
import { decide } from '../../src/domain/decide.ts';
import type { CannotMint, Observed } from '../../src/domain/observed.ts';
import {
  ada,
  aNamespace,
  anAnchor,
  aPicture,
  aSecret,
  aSession,
  later,
  MINUTE_MS,
  NOW,
  policyWith,
  writtenToken,
} from './pictures.ts';

const SKEW: CannotMint = { reason: 'ClockSkew', message: 'The clocks differ.' };
const statusOf = (change: Partial<Observed> = {}, now = NOW) => decide(aPicture(change), now).status;
const conditionsOf = (status: UserStatus) =>
  Object.fromEntries((status.conditions ?? []).map(({ type, reason }) => [type, reason]));

describe('the status says', () => {
  test.each<[string, string, string, string, Partial<Observed>]>([
    ['Active', 'TokenFresh', 'SignedIn', 'a token is kept fresh', {}],
    ['Active', 'TokenFresh', 'SignedIn', 'a token is to be written', { secret: aSecret() }],
    ['Active', 'Preparing', 'SignedIn', 'there is no Secret yet', { secret: undefined }],
    ['Active', 'ClockSkew', 'SignedIn', 'nothing may be minted', { cannotMint: SKEW }],
    [
      'Active',
      'NamespaceTerminating',
      'SignedIn',
      'the namespace is being deleted',
      { namespace: aNamespace({ deleting: true }) },
    ],
    ['Pending', 'NotSignedIn', 'NeverSignedIn', 'nobody has signed in', { user: ada({ status: {} }) }],
    [
      'Pending',
      'NotSignedIn',
      'NewEpoch',
      'all sessions were ended',
      { policy: policyWith({}, { epoch: 'epoch-2' }) },
    ],
    [
      'Pending',
      'NotSignedIn',
      'UnwatchedChange',
      'nobody watched a change',
      { user: ada({ metadata: { generation: 3 } }), seen: undefined },
    ],
    [
      'Pending',
      'NotSignedIn',
      'RestoredUser',
      'it came out of a backup',
      { user: ada({ status: { session: aSession({ userUID: 'old' }) } }) },
    ],
    [
      'Disabled',
      'SwitchedOff',
      'SwitchedOff',
      'an admin has switched the User off',
      { user: ada({ spec: { disabled: true } }) },
    ],
    [
      'Suspended',
      'TokensSwitchedOff',
      'TokensSwitchedOff',
      'an admin has switched all off',
      { policy: policyWith({ enabled: false }) },
    ],
    [
      'Terminating',
      'Offboarding',
      'Offboarding',
      'the User is being deleted',
      { user: ada({ metadata: { deletionTimestamp: '2030-01-01T11:00:00Z' } }) },
    ],
  ])('%s, %s and %s where %s', (phase, ready, signedIn, _, change) => {
    const status = statusOf(change);
    expect(status.phase).toBe(phase);
    expect(conditionsOf(status)).toEqual({ Ready: ready, SignedIn: signedIn });
  });

  test('which generation it is about, and what the User claims', () => {
    const user = ada({
      metadata: { generation: 2 },
      spec: { username: 'Ada@example.org', namespace: 'lovelace' },
    });
    expect(statusOf({ user })).toMatchObject({
      observedGeneration: 2,
      username: 'Ada@example.org',
      namespace: 'lovelace',
      conditions: [{ observedGeneration: 2 }, { observedGeneration: 2 }],
    });
  });

  test('which Secret is ours, so that it stays ours without its label', () => {
    expect(statusOf().secretUID).toBe('uid-secret');
    const foreign = {
      namespace: aNamespace({ kind: 'handed-over', userUID: undefined }),
      secret: aSecret({ userUID: undefined }),
    };
    expect(statusOf(foreign)).not.toHaveProperty('secretUID');
  });

  test('and which Secret its tokens of Kubernetes hang on', () => {
    expect(statusOf({ anchor: anAnchor() }).anchorUID).toBe('uid-anchor');
    const handedOver = aNamespace({ kind: 'handed-over', userUID: undefined });
    const foreign = { namespace: handedOver, anchor: anAnchor({ userUID: undefined }) };
    expect(statusOf(foreign)).not.toHaveProperty('anchorUID');
  });
});

describe('a session', () => {
  test('that counts is accounted for up to the generation that was decided on', () => {
    const user = ada({ metadata: { generation: 2 } });
    expect(statusOf({ user }).session).toEqual(aSession({ generation: 2 }));
  });

  test.each<[string, Partial<Observed>]>([
    ['a gate is shut', { user: ada({ spec: { disabled: true } }) }],
    ['a gate is shut for everyone', { policy: undefined }],
    ['it is over', { policy: policyWith({}, { epoch: 'epoch-2' }) }],
  ])('is gone from the status where %s', (_, change) => {
    expect(statusOf(change)).not.toHaveProperty('session');
  });

  test('that ended keeps its reason to be read, until the next one begins', () => {
    const off = statusOf({ user: ada({ spec: { disabled: true } }) });
    const on = statusOf({ user: ada({ status: off }) });
    expect(conditionsOf(on)).toEqual({ Ready: 'NotSignedIn', SignedIn: 'SwitchedOff' });
    const again = statusOf({ user: ada({ status: { ...on, session: aSession({ id: 'session-2' }) } }) });
    expect(conditionsOf(again)['SignedIn']).toBe('SignedIn');
  });

  test('that the user or an admin has ended is said to have ended', () => {
    const { session: _, ...ended } = statusOf();
    expect(conditionsOf(statusOf({ user: ada({ status: ended }) }))['SignedIn']).toBe('SessionEnded');
  });
});

test('what others keep in the status stays', () => {
  const theirs = {
    browsers: [{ digest: 'd', expiresAt: '2030-01-02T00:00:00Z' }],
    directory: { id: 'entry' },
    session: aSession(),
  };
  expect(statusOf({ user: ada({ status: theirs }) })).toMatchObject(theirs);
});

test('the time of a condition moves only when its status does', () => {
  const before = statusOf();
  const user = ada({ status: before });
  const secret = aSecret({ written: writtenToken(user, policyWith(), 25 * MINUTE_MS) });
  expect(statusOf({ user, secret }, later(MINUTE_MS))).toEqual(before);
  const skewed = statusOf({ user, secret, cannotMint: SKEW }, later(MINUTE_MS));
  expect(skewed.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
    ['Ready', '2030-01-01T12:01:00Z'],
    ['SignedIn', '2030-01-01T12:00:00Z'],
  ]);
});

test('every message tells people what is so, and gives nothing away', () => {
  for (const change of [{}, { policy: undefined }, { user: ada({ status: {} }) }, { cannotMint: SKEW }])
    for (const { message } of statusOf(change).conditions ?? []) {
      expect(message).toMatch(/^[A-Z].*\.$/);
      expect(message).not.toMatch(/session-1|uid-|undefined/);
    }
});
