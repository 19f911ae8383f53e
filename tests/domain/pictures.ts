// A picture of a cluster in which everything is well, for tests that change one thing of it at a time.
import { FINALIZER } from '../../src/api/names.ts';
import type { ObjectMeta } from '../../src/api/metadata.ts';
import type { TokenPolicy, TokenPolicySpec, TokenPolicyStatus } from '../../src/api/token-policy.ts';
import type { Session, User, UserSpec, UserStatus } from '../../src/api/user.ts';
import type { License, LicenseContent, LicenseReading } from '../../src/domain/license.ts';
import { claimsDigest, identityClaims } from '../../src/domain/claims.ts';
import { losing } from '../../src/domain/losing.ts';
import type {
  AnchorView,
  NamespaceView,
  Observed,
  ReaderBindingView,
  SecretView,
  WrittenSecret,
} from '../../src/domain/observed.ts';
import { samplePolicy, sampleUser } from './sample.ts';

export const NOW = new Date('2030-01-01T12:00:00Z');
export const MINUTE_MS = 60_000;
export const KID = 'key-1';

export const later = (ms: number) => new Date(NOW.getTime() + ms);

interface UserParts {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<UserSpec>;
  readonly status?: UserStatus;
}

export function aSession(change: Partial<Session> = {}): Session {
  return {
    id: 'session-1',
    startedAt: '2030-01-01T08:00:00Z',
    epoch: 'epoch',
    userUID: 'uid-ada',
    generation: 1,
    ...change,
  };
}

/** Ada; `status` replaces hers, in which she is signed in. */
export function ada({ metadata, spec = {}, status = { session: aSession() } }: UserParts = {}): User {
  const user = sampleUser({ spec, status });
  return { ...user, metadata: { ...user.metadata, finalizers: [FINALIZER], ...metadata } };
}

export function policyWith(
  spec: Partial<TokenPolicySpec> = {},
  status: TokenPolicyStatus = {},
  metadata: Partial<ObjectMeta> = {},
): TokenPolicy {
  const policy = samplePolicy();
  return {
    metadata: { ...policy.metadata, ...metadata },
    spec: { ...policy.spec, ...spec },
    status: { ...policy.status, ...status },
  };
}

export function aNamespace(change: Partial<NamespaceView> = {}): NamespaceView {
  return { uid: 'uid-namespace', kind: 'made', userUID: 'uid-ada', deleting: false, ...change };
}

export function aSecret(change: Partial<SecretView> = {}): SecretView {
  return {
    uid: 'uid-secret',
    userUID: 'uid-ada',
    finalizers: false,
    deleting: false,
    written: { reason: 'NotSignedIn' },
    ...change,
  };
}

export function anAnchor(change: Partial<AnchorView> = {}): AnchorView {
  return {
    uid: 'uid-anchor',
    userUID: 'uid-ada',
    session: 'session-1',
    epoch: 'epoch',
    finalizers: false,
    deleting: false,
    ...change,
  };
}

export function aBinding(change: Partial<ReaderBindingView> = {}): ReaderBindingView {
  return {
    uid: 'uid-binding',
    userUID: 'uid-ada',
    subject: 'ada',
    toReaderRole: true,
    deleting: false,
    ...change,
  };
}

/** What the ledger says of a Secret that holds the token which this user should have. */
export function writtenToken(
  user: User,
  policy: TokenPolicy,
  remainingMs: number,
  change: Partial<NonNullable<WrittenSecret['token']>> = {},
): WrittenSecret {
  const session = user.status?.session ?? aSession();
  const claims = claimsDigest(identityClaims(user, session, policy));
  return { token: { expiresAt: later(remainingMs), session: session.id, claims, kid: KID, ...change } };
}

export const NO_LICENSE: LicenseReading = { content: { kind: 'NotRequired' }, at: NOW };

export function aLicense(change: Partial<License> = {}): License {
  return {
    id: 'license-1',
    customer: 'Example Ltd',
    users: 100,
    notBefore: new Date('2029-01-01T00:00:00Z'),
    expiresAt: new Date('2031-01-01T00:00:00Z'),
    ...change,
  };
}

export function verified(
  change: Partial<License> = {},
  writtenAt: Date | undefined = new Date('2029-01-01T00:00:00Z'),
): LicenseContent {
  return { kind: 'Verified', license: aLicense(change), writtenAt };
}

/** Ada is signed in, and her token lives for another 25 minutes. */
export function aPicture(change: Partial<Observed> = {}): Observed {
  const user = change.user ?? ada();
  const policy = 'policy' in change ? change.policy : policyWith();
  return {
    user,
    seen: { generation: user.metadata.generation ?? 0, openSince: 0 },
    policy,
    usernameHolder: user,
    namespaceHolder: user,
    accountHolder: user,
    namespace: aNamespace(),
    namespaceOwnerLives: true,
    secret: aSecret({ written: writtenToken(user, policy ?? policyWith(), 25 * MINUTE_MS) }),
    anchor: undefined,
    binding: aBinding(),
    license: NO_LICENSE,
    aheadForSeat: 0,
    directory: undefined,
    publishedKeys: new Set([KID]),
    mayEndSession: { given: true },
    losing: losing(user, { given: true }),
    cannotMint: undefined,
    settings: { portal: 'https://portal.example.org', operatorNamespace: 'latchkey-system' },
    ...change,
  };
}
