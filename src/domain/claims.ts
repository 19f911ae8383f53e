// What a token says of its bearer, apart from the times and numbers that differ from token to token.
import type { TokenPolicy } from '../api/token-policy.ts';
import type { Session, User } from '../api/user.ts';
import { digest } from './digest.ts';
import { effectiveNamespace, effectiveUsername } from './effective.ts';
import { groupClaims } from './onboarding.ts';

/** The claims of a token (RFC 7519, OpenID Connect Core 5.1) that depend on the User, its session and the policy. */
export interface IdentityClaims {
  /** The UID of the User: one that was deleted and made again is somebody else. */
  readonly sub: string;
  readonly aud: readonly string[];
  readonly sid: string;
  readonly preferred_username: string;
  readonly email?: string;
  readonly name?: string;
  readonly groups: readonly string[];
  readonly role: 'member' | 'admin';
  readonly 'latchkey.dev/namespace': string;
}

/** Anything here could pass for one of Kubernetes' own groups, or for two groups in a header. */
const UNSAFE_GROUP = /[:,\p{Cc}]/u;

export function identityClaims(user: User, session: Session, policy: TokenPolicy): IdentityClaims {
  const { email, displayName, groups = [], role } = user.spec;
  return {
    sub: user.metadata.uid,
    aud: policy.spec.accessToken.audiences,
    sid: session.id,
    preferred_username: effectiveUsername(user),
    ...(email !== undefined && { email }),
    ...(displayName !== undefined && { name: displayName }),
    // The schema refuses such names; a CRD that somebody has loosened must not let them through.
    groups: [...new Set([...groups, ...groupClaims(user, policy)])].filter(
      (group) => group.length > 0 && !UNSAFE_GROUP.test(group),
    ),
    role,
    'latchkey.dev/namespace': effectiveNamespace(user),
  };
}

/** Differs when a token would say something else, so that a changed group or role replaces the token at once. */
export function claimsDigest(claims: IdentityClaims): string {
  return digest(JSON.stringify(claims));
}
