// Any picture of one User that a cluster could show, however it came about.
import fc from 'fast-check';
import { FINALIZER } from '../../src/api/names.ts';
import type { TokenPolicySpec } from '../../src/api/token-policy.ts';
import type { DirectoryStatus } from '../../src/api/user.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { Permission } from '../../src/domain/holds.ts';
import type { CannotMint } from '../../src/domain/observed.ts';
import {
  aBinding,
  ada,
  anAnchor,
  aNamespace,
  aPicture,
  aSecret,
  aSession,
  KID,
  MINUTE_MS,
  NOW,
  policyWith,
  writtenToken,
} from './pictures.ts';
import { sampleUser } from './sample.ts';
import type { Cluster } from './carry-out.ts';

export const ADMIN_FINALIZER = 'example.org/audit';
const ELDER = sampleUser({ name: 'elder', uid: 'uid-elder', createdAt: '2029-01-01T00:00:00Z' });
const SKEW: CannotMint = { reason: 'ClockSkew', message: 'The clocks differ.' };

/** Mostly as it should be, so that one thing at a time goes wrong, and sometimes two. */
const mostly = <T>(usual: T, ...unusual: readonly T[]) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...unusual) },
  );
const owner = mostly<string | undefined>('uid-ada', 'uid-elder', 'uid-gone', undefined);
const seldom = mostly(false, true);
const generation = fc.integer({ min: 1, max: 4 });
const epoch = mostly('epoch', 'epoch-before');

const user = fc.record({
  deleting: seldom,
  finalizers: mostly<readonly string[]>([FINALIZER], [], [FINALIZER, ADMIN_FINALIZER], [ADMIN_FINALIZER]),
  disabled: seldom,
  generation,
  session: fc.option(
    fc.record({
      epoch,
      userUID: mostly('uid-ada', 'uid-before'),
      generation,
    }),
    { nil: undefined, freq: 8 },
  ),
  secretUID: fc.constantFrom(undefined, 'uid-secret'),
  anchorUID: fc.constantFrom(undefined, 'uid-anchor'),
});
/** What the status says, and what the watch of the directory knows. */
const directory = fc.record({
  state: mostly<DirectoryStatus['state']>('Active', 'Inactive', 'Missing', 'Unknown', undefined),
  id: mostly<string | undefined>('id-ada', undefined),
  finding: mostly<Finding | undefined>(
    { state: 'Found', id: 'id-ada', spells: [] },
    undefined,
    { state: 'Found', spells: [] },
    { state: 'Found', id: 'id-eve', spells: [] },
    { state: 'Found', id: 'id-ada', spells: [], passwordChangedAt: NOW.getTime() },
    { state: 'Found', id: 'id-ada', spells: [{ reason: 'Disabled' }] },
    { state: 'Found', id: 'id-ada', spells: [{ reason: 'Unreadable' }] },
    { state: 'Found', id: 'id-ada', spells: [{ reason: 'Locked' }] },
    { state: 'Missing', spells: [] },
    { state: 'Ambiguous', spells: [] },
  ),
  permission: mostly<Permission | undefined>({ given: true }, undefined, { given: false, hold: 'hold' }),
});
const policy = fc.record({
  deleting: seldom,
  enabled: mostly(true, false),
  tokenSource: fc.constantFrom<'Latchkey' | 'Kubernetes'>('Latchkey', 'Kubernetes'),
  epoch: mostly<string | undefined>('epoch', undefined),
  generation: mostly(1, 2),
  session: mostly<TokenPolicySpec['session']>(
    undefined,
    { maxAge: '1h', endOnPasswordChange: false },
    { maxAge: '100h', endOnPasswordChange: true },
  ),
  ttl: fc.constantFrom(['30m', '10m'], ['20m', '10m'], ['1h', '59m'], ['1m', '10s']),
});
const secret = fc.record({
  uid: fc.constantFrom('uid-secret', 'uid-secret-2'),
  userUID: owner,
  finalizers: seldom,
  deleting: seldom,
  holds: fc.constantFrom('token', 'nothing', 'unknown, a token', 'unknown, nothing'),
  remainingMs: fc.integer({ min: -5 * MINUTE_MS, max: 65 * MINUTE_MS }),
  session: mostly('session-1', 'session-0'),
  claims: mostly<string | undefined>(undefined, 'other claims'),
  kid: mostly(KID, 'key-0'),
  reason: fc.constantFrom('NotSignedIn', 'SwitchedOff'),
});
const parts = fc.record({
  user,
  directory,
  seen: fc.option(fc.record({ generation, openSince: fc.integer({ min: 0, max: 5 }) }), { nil: undefined }),
  policy: fc.option(policy, { nil: undefined, freq: 8 }),
  elderHasUsername: seldom,
  elderHasNamespace: seldom,
  elderHasAccount: seldom,
  operatorNamespace: mostly('latchkey-system', 'ada'),
  namespace: fc.option(
    fc.record({
      kind: mostly<'made' | 'handed-over' | 'foreign'>('made', 'handed-over', 'foreign'),
      userUID: owner,
      deleting: seldom,
    }),
    { nil: undefined, freq: 8 },
  ),
  secret: fc.option(secret, { nil: undefined, freq: 8 }),
  anchor: fc.option(
    fc.record({
      userUID: owner,
      session: mostly<string | undefined>('session-1', 'session-0', undefined),
      finalizers: seldom,
      deleting: seldom,
    }),
    { nil: undefined },
  ),
  binding: fc.option(
    fc.record({
      userUID: owner,
      subject: mostly<string | undefined>('ada', 'eve', undefined),
      toReaderRole: mostly(true, false),
      deleting: seldom,
    }),
    { nil: undefined, freq: 8 },
  ),
  publishedKeys: fc.constantFrom(new Set([KID]), new Set([KID, 'key-0']), undefined),
  cannotMint: mostly<CannotMint | undefined>(undefined, SKEW),
});

export const anyCluster: fc.Arbitrary<Cluster> = parts.map((its) => {
  const { session, secretUID, anchorUID } = its.user;
  // Without a finalizer, a User that is deleted is not seen any more.
  const finalizers =
    its.user.deleting && its.user.finalizers.length === 0 ? [ADMIN_FINALIZER] : its.user.finalizers;
  const person = ada({
    metadata: {
      finalizers,
      generation: its.user.generation,
      ...(its.user.deleting && { deletionTimestamp: '2030-01-01T11:00:00Z' }),
    },
    spec: { disabled: its.user.disabled },
    status: {
      ...(session && { session: aSession(session) }),
      ...(secretUID !== undefined && { secretUID }),
      ...(anchorUID !== undefined && { anchorUID }),
      ...(its.directory.state !== undefined && {
        directory: {
          state: its.directory.state,
          since: '2030-01-01T09:00:00Z',
          ...(its.directory.id !== undefined && { id: its.directory.id }),
        },
      }),
    },
  });
  const [ttl = '', minRemaining = ''] = its.policy?.ttl ?? [];
  const accessToken = { ttl, minRemaining, audiences: ['latchkey'] };
  const { status: _, ...bare } = policyWith(
    {
      enabled: its.policy?.enabled ?? true,
      tokenSource: its.policy?.tokenSource ?? 'Latchkey',
      accessToken,
      ...(its.policy?.session && { session: its.policy.session }),
    },
    {},
    {
      generation: its.policy?.generation ?? 1,
      ...(its.policy?.deleting && { deletionTimestamp: '2030-01-01T11:00:00Z' }),
    },
  );
  const known = its.policy?.epoch;
  const rules = its.policy && {
    ...bare,
    ...(known !== undefined && { status: { epoch: known, observedGeneration: 1 } }),
  };
  const held = its.secret?.holds;
  const token =
    rules &&
    its.secret &&
    writtenToken(person, rules, its.secret.remainingMs, {
      session: its.secret.session,
      kid: its.secret.kid,
      ...(its.secret.claims !== undefined && { claims: its.secret.claims }),
    });
  // Objects lie in a namespace.
  const inside = its.namespace !== undefined;
  return {
    userIsGone: false,
    holdsToken: inside && (held === 'token' || held === 'unknown, a token'),
    picture: aPicture({
      user: person,
      seen: its.seen,
      policy: rules,
      usernameHolder: its.elderHasUsername ? ELDER : person,
      namespaceHolder: its.elderHasNamespace ? ELDER : person,
      accountHolder: its.elderHasAccount ? ELDER : person,
      // Latchkey did not make the namespace that it runs in.
      namespace:
        its.namespace &&
        aNamespace({ ...its.namespace, ...(its.operatorNamespace === 'ada' && { kind: 'foreign' }) }),
      namespaceOwnerLives: its.namespace?.userUID === 'uid-ada' || its.namespace?.userUID === 'uid-elder',
      secret:
        its.secret && inside
          ? aSecret({
              uid: its.secret.uid,
              userUID: its.secret.userUID,
              finalizers: its.secret.finalizers,
              deleting: its.secret.deleting,
              written:
                held === 'nothing' ? { reason: its.secret.reason } : held === 'token' ? token : undefined,
            })
          : undefined,
      anchor: its.anchor && inside ? anAnchor(its.anchor) : undefined,
      directory: { finding: its.directory.finding, askedAt: NOW },
      mayEndSession: its.directory.permission,
      binding: its.binding && inside ? aBinding(its.binding) : undefined,
      publishedKeys: its.publishedKeys,
      cannotMint: its.cannotMint,
      settings: { portal: 'https://portal.example.org', operatorNamespace: its.operatorNamespace },
    }),
  };
});
