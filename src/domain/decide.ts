// Decides what is to be done about one User: the status it should have, the writes to make, and when to look again.
import type { UserStatus } from '../api/user.ts';
import { decideDirectory, earliest } from './directory.ts';
import { shutGate } from './gates.ts';
import type { Cause } from './happening.ts';
import { offboard, withdraw } from './leave.ts';
import { hasBegun, losesSession, losingSession, mayBeTaken } from './losing.ts';
import type { Observed } from './observed.ts';
import { namespaceClaim } from './ownership.ts';
import { isUsable, provide } from './provide.ts';
import { sessionEnd, sessionEndsAt, type SessionEnd } from './session.ts';
import { desiredStatus } from './status.ts';
import type { Step } from './step.ts';

export interface Decision {
  /** The whole status that the User should have once the steps are done. */
  readonly status: UserStatus;
  /**
   * A session that ends for this User alone is taken out before its token: the status is what a restart goes by.
   * Where one write to the policy has ended everybody's, the tokens go first. An offboarding says that it has begun.
   */
  readonly statusFirst: boolean;
  readonly steps: readonly Step[];
  readonly lookAgainAt: Date | undefined;
  /** The token that is written replaces one that lives: it may wait a moment. */
  readonly mayWait: boolean;
  /** Something would be taken away that is not permitted yet: holds.ts has to be asked, and tells. */
  readonly asksPermission?: true;
  /** Why a session or a token goes, if one goes with this decision. */
  readonly cause: Cause;
}

/**
 * The heart of Latchkey: a user has a token ⇔ every gate is open and the session counts. Pure: no clock, no I/O, no
 * memory; the same picture at the same time always gives the same decision.
 */
export function decide(seen: Observed, now: Date): Decision {
  const { observed, hasNewPassword, lookAgainAt, asksPermission } = withDirectory(seen, now);
  const { user, policy } = observed;
  const claim = namespaceClaim(observed);
  const shut = shutGate(observed);
  const ended =
    policy && !shut
      ? (sessionEnd(user, policy, observed.seen, now) ?? (hasNewPassword ? 'PasswordChanged' : undefined))
      : undefined;
  const session = shut || ended ? undefined : user.status?.session;

  const leaves = user.metadata.deletionTimestamp !== undefined && mayBeTaken(observed.losing);
  const plan = leaves
    ? offboard(observed, claim)
    : isUsable(observed, claim)
      ? provide(observed, claim, { shut, session, policy }, now)
      : withdraw(observed, claim);

  const status = desiredStatus(observed, { shut, ended, session, tokenWritten: plan.tokenWritten }, now);
  return {
    status,
    statusFirst:
      (leaves && !hasBegun(user)) ||
      (user.status?.session !== undefined && !session && !shut?.forEveryone && ended !== 'NewEpoch'),
    steps: plan.steps,
    lookAgainAt: earliest(plan.lookAgainAt, lookAgainAt, session && policy && sessionEndsAt(session, policy)),
    mayWait: plan.mayWait ?? false,
    ...(asksPermission && { asksPermission }),
    cause: shut ?? (session ? causeDespite(observed) : causeOf(status)),
  };
}

interface Heard {
  readonly observed: Observed;
  /** The password is another one than at the sign-in, and that may end the session. */
  readonly hasNewPassword: boolean;
  readonly lookAgainAt: Date | undefined;
  readonly asksPermission?: true;
}

/** The picture with the directory's word in the User's status, which is where every replica looks for it. */
function withDirectory(observed: Observed, now: Date): Heard {
  const { user, policy } = observed;
  const { status: directory, lookAgainAt } = decideDirectory(user, policy, observed.directory, now);
  const loses = losesSession(user, policy, directory, observed.directory);
  if (loses) {
    const losing = losingSession(user, observed.mayEndSession);
    if (!mayBeTaken(losing))
      return { observed: { ...observed, losing }, hasNewPassword: false, lookAgainAt, asksPermission: true };
  }
  const hasNewPassword = loses === 'PasswordChanged';
  if (directory === user.status?.directory || directory === undefined)
    return { observed, hasNewPassword, lookAgainAt };
  return {
    observed: { ...observed, user: { ...user, status: { ...user.status, directory } } },
    hasNewPassword,
    lookAgainAt,
  };
}

/** What ended the session: the condition keeps it until the next one begins. */
function causeOf({ conditions = [] }: UserStatus): Cause {
  const { reason = 'SessionEnded', message = '' } = conditions.find(({ type }) => type === 'SignedIn') ?? {};
  return { reason, message, ...(reason === ('NewEpoch' satisfies SessionEnd) && { forEveryone: true }) };
}

/** What takes the token of somebody who is signed in and may have one. */
function causeDespite({ cannotMint, namespace }: Observed): Cause {
  if (cannotMint) return { ...cannotMint, fault: true };
  return namespace?.deleting
    ? {
        reason: 'NamespaceTerminating',
        message: 'Its namespace is being deleted, and made anew when it is gone.',
      }
    : {
        reason: 'SecretReplaced',
        message: 'Somebody has changed the Secret so that it has to be made anew.',
      };
}

/** Whether the session that a User has counts now: then a second sign-in leaves it as it is. */
export function sessionCounts({ user, policy, seen }: Observed, now: Date): boolean {
  return (
    user.status?.session !== undefined &&
    policy !== undefined &&
    sessionEnd(user, policy, seen, now) === undefined
  );
}
