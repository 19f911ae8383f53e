// Whether the bearer of a verified token may come in now, and as whom: by the rule of today, not by what the token says.
import { identityClaims, type IdentityClaims } from './claims.ts';
import { sessionCounts } from './decide.ts';
import { shutGate } from './gates.ts';
import type { Observed } from './observed.ts';

/** Of a verified token, what decides. */
export interface Presented {
  /** The UID of the User that it was signed for. */
  readonly sub: string;
  readonly sid: string;
  readonly aud: readonly string[];
}

export type Judgement =
  | { readonly accepted: true; readonly identity: IdentityClaims }
  /** `reason` is for logs and metrics, never for the wire. */
  | { readonly accepted: false; readonly reason: string };

/**
 * The same rule that decides whether the user has a token: every gate is open and the session counts. The identity is
 * that of now: name, groups and role as the User has them, and of the audiences only those that the policy still has.
 * @param observed undefined where there is no User with that UID
 */
export function judge({ sub, sid, aud }: Presented, observed: Observed | undefined, now: Date): Judgement {
  const no = (reason: string): Judgement => ({ accepted: false, reason });
  // One that was deleted and made again under the same name is somebody else.
  if (observed?.user.metadata.uid !== sub) return no('UnknownUser');
  const shut = shutGate(observed);
  if (shut) return no(shut.reason);
  const { user, policy } = observed;
  const session = user.status?.session;
  if (!policy || session?.id !== sid || !sessionCounts(observed, now)) return no('SessionEnded');
  const identity = identityClaims(user, session, policy);
  const audiences = identity.aud.filter((audience) => aud.includes(audience));
  if (audiences.length === 0) return no('AudienceWithdrawn');
  return { accepted: true, identity: { ...identity, aud: audiences } };
}
