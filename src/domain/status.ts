// The status that a User should have: phase, session and conditions, each with a reason and what to do next.
import type { Session, UserStatus } from '../api/user.ts';
import { withCondition, withoutCondition, type ConditionUpdate } from './conditions.ts';
import { effectiveNamespace, effectiveUsername } from './effective.ts';
import { unlicensed, type ShutGate } from './gates.ts';
import { holdOf } from './losing.ts';
import type { Observed } from './observed.ts';
import { namespaceClaim, ownsAnchor, ownsSecret } from './ownership.ts';
import type { SessionEnd } from './session.ts';

interface Verdict {
  readonly shut: ShutGate | undefined;
  readonly ended: SessionEnd | undefined;
  readonly session: Session | undefined;
  readonly tokenWritten: boolean;
}

const ENDED: Record<SessionEnd, string> = {
  NewEpoch: 'Every session was ended at once; the Events of the TokenPolicy say why.',
  RestoredUser: 'This User was restored from a backup; its old session does not count.',
  UnwatchedChange: 'This User was changed while nobody watched, so its session was ended.',
  SessionTooOld: 'The session was as old as sessions may become (spec.session.maxAge of the TokenPolicy).',
  PasswordChanged:
    'The password was changed after the sign-in, which ends the session (spec.session of the TokenPolicy).',
};

export function desiredStatus(observed: Observed, verdict: Verdict, now: Date): UserStatus {
  const { user, secret, anchor, usernameHolder } = observed;
  const old = user.status ?? {};
  const generation = user.metadata.generation ?? 0;
  const claim = namespaceClaim(observed);
  const secretUID = secret && !secret.deleting && ownsSecret(observed, claim) ? secret.uid : old.secretUID;

  const anchorUID = anchor && !anchor.deleting && ownsAnchor(observed, claim) ? anchor.uid : old.anchorUID;
  const hold = holdOf(observed.losing);
  const isLicenseRequired = observed.license.content.kind !== 'NotRequired';
  const licensed = isLicenseRequired ? [license(observed)] : [];
  let conditions = isLicenseRequired ? (old.conditions ?? []) : withoutCondition(old.conditions, LICENSED);
  const updates = [
    ready(observed, verdict),
    signedIn(observed, verdict),
    ...directoryActive(observed),
    ...licensed,
  ];
  for (const update of updates) {
    conditions = withCondition(conditions, { ...update, observedGeneration: generation }, now);
  }
  return {
    phase: phase(verdict),
    // Only who holds it: of two Users made within one second this tells which was first (claimants.ts).
    ...(usernameHolder.metadata.uid === user.metadata.uid && { username: effectiveUsername(user) }),
    namespace: effectiveNamespace(user),
    observedGeneration: generation,
    ...(verdict.session && { session: { ...verdict.session, generation } }),
    ...(old.browsers && { browsers: old.browsers }),
    ...(old.directory && { directory: old.directory }),
    ...(secretUID !== undefined && { secretUID }),
    ...(anchorUID !== undefined && { anchorUID }),
    ...(hold !== undefined && { hold }),
    conditions,
  };
}

function phase({ shut, session }: Verdict): NonNullable<UserStatus['phase']> {
  if (shut) return shut.phase;
  return session ? 'Active' : 'Pending';
}

function ready(observed: Observed, verdict: Verdict): ConditionUpdate {
  const hold = holdOf(observed.losing);
  const own = readyApartFromHolds(observed, verdict);
  if (hold === undefined) return own;
  const losing =
    observed.losing?.cause === 'Inactive'
      ? 'The word of the directory would end the session of this User'
      : 'This User is being deleted';
  return {
    ...own,
    reason: 'Held',
    message: `${losing}, with so many others that nothing is taken away until an admin confirms it: "latchkey confirm ${hold}". ${own.message}`,
  };
}

function readyApartFromHolds(
  { cannotMint, namespace, settings }: Observed,
  verdict: Verdict,
): ConditionUpdate {
  const { shut, session, tokenWritten } = verdict;
  const is = (status: 'True' | 'False', reason: string, message: string) => ({
    type: 'Ready',
    status,
    reason,
    message,
  });
  if (shut) return is('False', shut.reason, shut.message);
  if (!session) return is('False', 'NotSignedIn', `The user signs in at ${settings.portal} to get a token.`);
  if (cannotMint) return is('False', cannotMint.reason, cannotMint.message);
  if (namespace?.deleting)
    return is(
      'False',
      'NamespaceTerminating',
      'The namespace is being deleted; it is made anew when it is gone.',
    );
  return tokenWritten
    ? is('True', 'TokenFresh', 'The Secret access-token holds a token that is kept fresh.')
    : is('False', 'Preparing', 'The token is being written.');
}

const LICENSED = 'Licensed';

/** Says nothing of when the licence ends: that is the policy's to say, once and not on every User. */
function license(observed: Observed): ConditionUpdate {
  const missing = unlicensed(observed);
  return missing
    ? { type: LICENSED, status: 'False', reason: missing.reason, message: missing.message }
    : { type: LICENSED, status: 'True', reason: 'Seated', message: 'This User has a seat of the licence.' };
}

/** Only where the directory has said anything. */
function directoryActive({ user }: Observed): ConditionUpdate[] {
  const { state, reason, attribute } = user.status?.directory ?? {};
  const is = (status: 'True' | 'False' | 'Unknown', code: string, message: string) => [
    { type: 'DirectoryActive', status, reason: code, message },
  ];
  switch (state) {
    case undefined:
      return [];
    case 'Active':
      return is('True', 'Active', 'The directory has the account, and it is good.');
    case 'Missing':
      return is('False', 'Missing', 'The directory has no account of this username.');
    case 'Inactive':
      return is(
        'False',
        reason ?? state,
        reason === 'Replaced'
          ? 'The directory has another account of this username than the one that signed in before.'
          : 'The directory says that the account is not to be used.',
      );
    case 'Unknown':
      return is(
        'Unknown',
        reason ?? state,
        attribute === undefined
          ? 'The directory has several accounts of this username, or sends on to other servers for it: let there be one below the base DN of --ldap-base-dn that --ldap-user-filter finds.'
          : `The value of ${attribute} in the entry of the account cannot be read: mend it there, or let the account of --ldap-bind-dn read it.`,
      );
    default:
      return state satisfies never;
  }
}

function signedIn({ user, settings }: Observed, { shut, ended, session }: Verdict): ConditionUpdate {
  const is = (status: 'True' | 'False', reason: string, message: string) => ({
    type: 'SignedIn',
    status,
    reason,
    message,
  });
  if (session) return is('True', 'SignedIn', `Signed in at ${session.startedAt}.`);
  const again = `The user signs in at ${settings.portal}.`;
  if (ended) return is('False', ended, `${ENDED[ended]} ${again}`);
  const before = user.status?.conditions?.find(({ type }) => type === 'SignedIn');
  if (shut && user.status?.session) return is('False', shut.reason, shut.message);
  // Why the last session ended stays to be read until the next one begins.
  if (before?.status === 'False') return is('False', before.reason, before.message);
  return before
    ? is('False', 'SessionEnded', `The session was ended by the user or an admin. ${again}`)
    : is('False', 'NeverSignedIn', again);
}
