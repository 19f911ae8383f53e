// Who becomes a User by signing in, under which name, and what the groups put into the token.
import { describe, expect, test } from '@jest/globals';
import type { User } from '../../src/api/user.ts';
import { claimsDigest, identityClaims } from '../../src/domain/claims.ts';
import { decide } from '../../src/domain/decide.ts';
import { decideDirectory, endsSession } from '../../src/domain/directory.ts';
import type { Membership } from '../../src/domain/finding.ts';
import { groupsOf, isReservedName, userNameFor } from '../../src/domain/onboarding.ts';
import { ada, aPicture, aSession, later, NOW, policyWith } from './pictures.ts';

describe('the name of a User', () => {
  test.each([
    ['ada', 'ada'],
    ['Ada', 'ada'],
    ['ada.lovelace', 'ada-lovelace'],
    ['ada_l@example.org', 'ada-l-example-org'],
    ['ÄDÁ', 'ada'],
    ['a..b', 'a-b'],
    ['-ada-', 'ada'],
    ['42', '42'],
    ['a'.repeat(63), 'a'.repeat(63)],
    ['a'.repeat(64), undefined],
    ['søren', undefined],
    ['straße', undefined],
    ['иван', undefined],
    ['ada🙂', 'ada'],
    ['...', undefined],
    ['', undefined],
  ])('%j is %j', (username, name) => {
    expect(userNameFor(username)).toBe(name);
  });

  test.each([
    ['kube-system', true],
    ['default', true],
    ['openshift', true],
    ['tokens', true],
    ['ada', false],
  ])('%s is reserved: %s', (name, isReserved) => {
    expect(isReservedName(name, 'tokens')).toBe(isReserved);
  });
});

const ANALYTICS = 'cn=analytics,ou=groups,dc=example,dc=org';
const ADMINS = 'CN=Site Admins , ou=groups,dc=example,dc=org';
const onboarding = { groups: [ANALYTICS, ADMINS], maxUsers: 10 };
const POLICY = policyWith({ onboarding });

/** Ada as a User that was made at her sign-in; `groups` as her status has them. */
const onboarded = (groups?: string[], change: Parameters<typeof ada>[0] = {}): User =>
  ada({
    metadata: { labels: { 'latchkey.dev/onboarded': 'true' } },
    status: { session: aSession(), directory: { state: 'Active', ...(groups && { groups }) } },
    ...change,
  });
const byAdmin = (groups?: string[]): User => onboarded(groups, { metadata: {} });

describe('the groups of a User', () => {
  test.each<[string, User, Omit<Membership, 'asked'>, string[] | undefined]>([
    ['those that are listed', onboarded(), { groups: [ANALYTICS, 'cn=x,o=y'], unknown: [] }, [ANALYTICS]],
    ['none, where it has left', onboarded([ANALYTICS]), { groups: [], unknown: [] }, []],
    [
      'as they were, where a group cannot be read',
      onboarded([ANALYTICS]),
      { groups: [], unknown: [ANALYTICS] },
      [ANALYTICS],
    ],
    [
      'as they were, where the other one cannot be read',
      onboarded([ANALYTICS]),
      { groups: [], unknown: [ADMINS] },
      [ANALYTICS],
    ],
    [
      'unknown, where one cannot be read from the start',
      onboarded(),
      { groups: [], unknown: [ADMINS] },
      undefined,
    ],
    ['still none, where one cannot be read', onboarded([]), { groups: [], unknown: [ADMINS] }, []],
    ['not noted, where an admin made the User', byAdmin(), { groups: [], unknown: [] }, undefined],
    [
      'noted, where an admin made a User that is in one',
      byAdmin(),
      { groups: [ADMINS], unknown: [] },
      [ADMINS],
    ],
  ])('are %s', (_, user, membership, groups) => {
    expect(groupsOf(user, POLICY, { asked: onboarding.groups, ...membership })).toEqual(groups);
  });

  test.each<[string, string, Membership]>([
    ['another one than was asked about', ADMINS, { asked: [ANALYTICS], groups: [ANALYTICS], unknown: [] }],
    [
      'the same one, spelled anew',
      ANALYTICS.toUpperCase(),
      { asked: [ANALYTICS], groups: [ANALYTICS], unknown: [] },
    ],
    ['another one, while nothing was listed before', ADMINS, { asked: [], groups: [], unknown: [] }],
  ])('are as they were while the policy lists %s, until it is asked about', (_, listed, membership) => {
    const policy = policyWith({ onboarding: { groups: [listed], maxUsers: 10 } });
    const user = onboarded([ANALYTICS]);
    expect(groupsOf(user, policy, membership)).toEqual([ANALYTICS]);
    expect(groupsOf(user, policy, { asked: [listed], groups: [listed], unknown: [] })).toEqual([listed]);
    expect(groupsOf(user, policy, { asked: [listed], groups: [], unknown: [] })).toEqual([]);
  });

  test('are those of which it is known, where the policy lists one more', () => {
    const membership = { asked: [ANALYTICS], groups: [], unknown: [] };
    expect(groupsOf(onboarded([ANALYTICS, ADMINS]), POLICY, membership)).toEqual([ADMINS]);
  });

  test('are claims by their first names, beside those of the User, while the policy lists them', () => {
    const user = onboarded([ANALYTICS, ADMINS, 'cn=old,o=x'], { spec: { groups: ['own', 'analytics'] } });
    const claims = (policy: typeof POLICY) =>
      identityClaims(
        { ...user, status: onboarded([ANALYTICS, ADMINS, 'cn=old,o=x']).status ?? {} },
        aSession(),
        policy,
      );
    expect(claims(POLICY).groups).toEqual(['own', 'analytics', 'Site Admins']);
    expect(claims(policyWith()).groups).toEqual(['own', 'analytics']);
    expect(claimsDigest(claims(POLICY))).not.toBe(claimsDigest(claims(policyWith())));
  });

  test('never put into a token what could pass for a group of Kubernetes, even past a loosened schema', () => {
    const evil = 'cn=system:masters,o=x';
    const policy = policyWith({ onboarding: { groups: [evil], maxUsers: 1 } });
    expect(identityClaims(onboarded([evil]), aSession(), policy).groups).toEqual([]);
  });
});

describe('leaving the groups', () => {
  const seen = (membership: Omit<Membership, 'asked'>, askedAt = NOW) => ({
    finding: { state: 'Found', spells: [] } as const,
    askedAt,
    membership: { asked: onboarding.groups, ...membership, askedAt },
  });
  const left = seen({ groups: [], unknown: [] });

  test('ends the session, and says why', () => {
    const picture = aPicture({ user: onboarded([ANALYTICS]), policy: POLICY, directory: left });
    const ended = decide(picture, NOW);
    expect(ended).toMatchObject({ statusFirst: true, cause: { reason: 'NotInGroups' } });
    expect(ended.status).toMatchObject({ phase: 'Suspended', directory: { state: 'Active', groups: [] } });
    expect(ended.status.session).toBeUndefined();
    expect(ended.steps.map((step) => step.do)).toEqual(['ClearToken']);
  });

  test('is counted first, as many may leave at once by mistake', () => {
    const picture = aPicture({
      user: onboarded([ANALYTICS]),
      policy: POLICY,
      directory: left,
      mayEndSession: undefined,
    });
    const waits = decide(picture, NOW);
    expect(waits).toMatchObject({ asksPermission: true, status: { session: aSession() } });
    expect(waits.status.directory?.groups).toEqual([ANALYTICS]);
  });

  test.each<[string, Partial<Parameters<typeof aPicture>[0]>]>([
    ['an admin made the User', { user: byAdmin([ANALYTICS]) }],
    ['the policy does not onboard any more', { policy: policyWith() }],
    ['the groups cannot be read', { directory: seen({ groups: [], unknown: [ANALYTICS, ADMINS] }) }],
    ['nothing is known of them', { directory: { finding: undefined, askedAt: undefined } }],
    ['the account is in another one', { directory: seen({ groups: [ADMINS], unknown: [] }) }],
  ])('does not, where %s', (_, change) => {
    const picture = aPicture({ user: onboarded([ANALYTICS]), policy: POLICY, directory: left, ...change });
    expect(decide(picture, NOW).status.session).toBeDefined();
  });

  test('does not by a sweep that was begun before the sign-in, and is looked at again', () => {
    const user = onboarded([ANALYTICS], {
      status: {
        session: aSession({ startedAt: '2030-01-01T12:00:00Z' }),
        directory: { state: 'Active', groups: [ANALYTICS] },
      },
    });
    const early = decideDirectory(user, POLICY, left, NOW);
    expect(early.status?.groups).toEqual([ANALYTICS]);
    expect(early.lookAgainAt).toEqual(later(5_000));
    const late = decideDirectory(user, POLICY, seen({ groups: [], unknown: [] }, later(1_000)), NOW);
    expect(endsSession(user, late.status)).toBe(true);
  });

  test('writes nothing where nothing has changed', () => {
    const user = onboarded([ANALYTICS]);
    const { status } = decideDirectory(user, POLICY, seen({ groups: [ANALYTICS], unknown: [] }), NOW);
    expect(status?.groups).toBe(user.status?.directory?.groups);
  });
});
