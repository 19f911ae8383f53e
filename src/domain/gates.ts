// The rule that decides everything, as a chain of checks: the first that is shut says why the user has no token.
import { LABEL } from '../api/names.ts';
import type { UserStatus } from '../api/user.ts';
import { GRACE_PERIOD_OVER } from './directory.ts';
import { REVOKED_MESSAGE } from './hearing.ts';
import { effectiveNamespace, effectiveUsername } from './effective.ts';
import { licenseText } from './license-texts.ts';
import { mayBeTaken, OFFBOARDING } from './losing.ts';
import type { Observed } from './observed.ts';
import { isOnboarded } from './onboarding.ts';
import { policyStands } from './policy-stands.ts';
import { namespaceClaim, ownsAnchor, ownsBinding, ownsSecret } from './ownership.ts';
import { seats } from './seats.ts';
import { sessionEnd } from './session.ts';

export interface ShutGate {
  readonly reason: string;
  /** What is so, and what to do next. */
  readonly message: string;
  readonly phase: NonNullable<UserStatus['phase']>;
  /** Shut for the whole cluster: one new epoch ends every session, so no User has to be written first. */
  readonly forEveryone?: true;
}

type Gate = (observed: Observed) => ShutGate | undefined;

const offboarding: Gate = ({ user, losing }) =>
  user.metadata.deletionTimestamp !== undefined && mayBeTaken(losing)
    ? {
        reason: OFFBOARDING,
        message: 'This User is being deleted, with its namespace.',
        phase: 'Terminating',
      }
    : undefined;

const policyIsThere: Gate = ({ policy }) =>
  policy && policyStands(policy)
    ? undefined
    : {
        reason: 'NoTokenPolicy',
        message: 'There is no TokenPolicy named cluster, so nobody has a token. An admin can make one.',
        phase: 'Suspended',
        forEveryone: true,
      };

const policyIsEnabled: Gate = ({ policy }) =>
  policy?.spec.enabled === true
    ? undefined
    : {
        reason: 'TokensSwitchedOff',
        message:
          'An admin has switched off the tokens of the whole cluster (spec.enabled of the TokenPolicy). After it is true again, everybody signs in again.',
        phase: 'Suspended',
        forEveryone: true,
      };

const policyHasEpoch: Gate = ({ policy }) =>
  policy?.status?.epoch
    ? undefined
    : {
        reason: 'TokenPolicyPending',
        message:
          'Latchkey has not taken up the TokenPolicy yet. This passes within seconds while the operator runs.',
        phase: 'Suspended',
        forEveryone: true,
      };

const licenseIsGood: Gate = ({ license, policy }) => {
  const text = licenseText(license, policy?.status?.license);
  if (!text || text.isGood) return undefined;
  const { reason, message } = text;
  return { reason, message, phase: 'Suspended', forEveryone: true };
};

const directoryIsHeard: Gate = ({ policy }) =>
  policy?.status?.directory?.state === 'GracePeriodOver'
    ? {
        reason: 'DirectoryUnreachable',
        message: REVOKED_MESSAGE,
        phase: 'Suspended',
        forEveryone: true,
      }
    : undefined;

const enabled: Gate = ({ user }) =>
  user.spec.disabled
    ? {
        reason: 'SwitchedOff',
        message:
          'An admin has switched this User off (spec.disabled). After it is false again, the user has to sign in again.',
        phase: 'Disabled',
      }
    : undefined;

const directoryAgrees: Gate = ({ user }) => {
  const { state, reason } = user.status?.directory ?? {};
  const username = effectiveUsername(user);
  const shut = (code: string, message: string): ShutGate => ({ reason: code, message, phase: 'Suspended' });
  if (state === 'Missing')
    return shut(
      'DirectoryMissing',
      `The directory has no account ${username}. Once it has one, the user signs in; or delete this User.`,
    );
  if (state === 'Inactive')
    return reason === 'Replaced'
      ? shut(
          'AccountReplaced',
          `The account ${username} of the directory is not the one that signed in before. Where it is another person's, delete this User, with its namespace. Where it is the same person's, have the old one forgotten: kubectl patch users.latchkey.dev ${user.metadata.name} --subresource=status --type=merge -p '{"status":{"directory":null}}'. Then the user signs in.`,
        )
      : shut(
          'DirectoryInactive',
          `The directory says that the account ${username} is not to be used (${reason}). Once that is over, the user has to sign in again.`,
        );
  if (state === 'Unknown' && reason === GRACE_PERIOD_OVER)
    return shut(
      'DirectoryUnknown',
      `The directory has not said for too long whether the account ${username} is good (spec.directory of the TokenPolicy). Mend its entry; then the user has to sign in again.`,
    );
  return undefined;
};

const isInGroups: Gate = ({ user, policy }) =>
  policy?.spec.onboarding && isOnboarded(user) && user.status?.directory?.groups?.length === 0
    ? {
        reason: 'NotInGroups',
        message: `The account ${effectiveUsername(user)} has left the groups of the directory that let people in (spec.onboarding of the TokenPolicy). Once it is in one again, the user signs in; an admin who takes the label ${LABEL.onboarded} away lets the User stay without.`,
        phase: 'Suspended',
      }
    : undefined;

const usernameIsFree: Gate = ({ user, usernameHolder }) =>
  usernameHolder.metadata.uid === user.metadata.uid
    ? undefined
    : {
        reason: 'UsernameTaken',
        message: `The older User ${usernameHolder.metadata.name} has the username ${effectiveUsername(usernameHolder)}. Delete one of the two.`,
        phase: 'Suspended',
      };

const accountIsFree: Gate = ({ user, accountHolder }) =>
  accountHolder.metadata.uid === user.metadata.uid
    ? undefined
    : {
        reason: 'AccountHasUser',
        message: `The account has the older User ${accountHolder.metadata.name} already, of the username ${effectiveUsername(accountHolder)}. Sign in by that name; an admin deletes the User that is not wanted.`,
        phase: 'Suspended',
      };

const namespaceIsOurs: Gate = (observed) => {
  const name = effectiveNamespace(observed.user);
  const shut = (reason: string, message: string): ShutGate => ({ reason, message, phase: 'Suspended' });
  const claim = namespaceClaim(observed);
  switch (claim) {
    case 'Absent':
    case 'Made':
      return undefined;
    case 'HandedOver':
      if (observed.secret && !ownsSecret(observed, claim))
        return shut(
          'SecretNotOurs',
          `The namespace ${name} has a Secret access-token that Latchkey did not make. Delete or rename it.`,
        );
      if (
        observed.policy?.spec.tokenSource === 'Kubernetes' &&
        observed.anchor &&
        !ownsAnchor(observed, claim)
      )
        return shut(
          'SecretNotOurs',
          `The namespace ${name} has a Secret access-token-binding that Latchkey did not make. Delete or rename it.`,
        );
      if (observed.binding && !ownsBinding(observed, claim))
        return shut(
          'RoleBindingNotOurs',
          `The namespace ${name} has a RoleBinding latchkey-read-access-token that Latchkey did not make. Delete or rename it.`,
        );
      return undefined;
    case 'Reserved':
      return shut(
        'NamespaceReserved',
        `The namespace ${name} is Latchkey's own. Make this User anew with another one.`,
      );
    case 'Taken':
      return shut(
        'NamespaceTaken',
        observed.namespaceHolder.metadata.uid === observed.user.metadata.uid
          ? `The namespace ${name} belongs to another User. Make this User anew with another namespace.`
          : `The older User ${observed.namespaceHolder.metadata.name} has the namespace ${name}. Make this User anew with another one.`,
      );
    case 'Orphaned':
      return shut(
        'NamespaceOrphaned',
        `The namespace ${name} was made for a User that is gone, as after a restored backup. Run "latchkey adopt --restored" to hand it to this User, or delete the namespace.`,
      );
    case 'Foreign':
      return shut(
        'NamespaceNotOurs',
        `The namespace ${name} exists and Latchkey did not make it. Hand it over with "kubectl label namespace ${name} latchkey.dev/namespace=handed-over", or make this User anew with another namespace.`,
      );
    default:
      return claim satisfies never;
  }
};

const seatIsFree: Gate = ({ user, policy, seen, license, aheadForSeat }) => {
  const most = seats(license);
  if (most === undefined || aheadForSeat < most) return undefined;
  const counts = user.status?.session && policy && sessionEnd(user, policy, seen, license.at) === undefined;
  if (counts) return undefined;
  return {
    reason: 'NoSeat',
    message: `The licence is for ${most} users, and others who are signed in or were made before have the seats. An admin deletes or disables Users that are not needed, or gets a licence for more.`,
    phase: 'Suspended',
  };
};

/** Why the licence keeps the token from the user, for everybody or for this one; undefined where it does not. */
export function unlicensed(observed: Observed): ShutGate | undefined {
  return licenseIsGood(observed) ?? seatIsFree(observed);
}

const GATES: readonly Gate[] = [
  offboarding,
  policyIsThere,
  policyIsEnabled,
  policyHasEpoch,
  licenseIsGood,
  directoryIsHeard,
  enabled,
  directoryAgrees,
  isInGroups,
  usernameIsFree,
  accountIsFree,
  namespaceIsOurs,
  seatIsFree,
];

/** The first gate that is shut for the user, signed in or not; undefined where signing in would bring a token. */
export function shutGate(observed: Observed): ShutGate | undefined {
  for (const gate of GATES) {
    const shut = gate(observed);
    if (shut) return shut;
  }
  return undefined;
}
