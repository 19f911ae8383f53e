// What a User is about to lose to a cause that may be an accident, and whether it may be taken away.
import type { HoldCause, TokenPolicy } from '../api/token-policy.ts';
import type { DirectoryStatus, User } from '../api/user.ts';
import { endsSession } from './directory.ts';
import type { DirectoryView } from './finding.ts';
import type { Permission } from './holds.ts';
import { isPasswordNewer } from './session.ts';

export interface Losing {
  readonly cause: HoldCause;
  /** Undefined until it is decided, which takes one write to the TokenPolicy. */
  readonly permission: Permission | undefined;
}

/** The reason that a User gives once its offboarding has begun. */
export const OFFBOARDING = 'Offboarding';

/**
 * Whether the offboarding has begun: the User's own status says so before anything is taken away. It was counted then,
 * and is not counted again after a restart.
 */
export function hasBegun({ metadata, status }: User): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === OFFBOARDING) === true
  );
}

/** By which causes a User that is being deleted may be held; one at a time. */
export const DELETIONS = ['CRDDeleting', 'Deleting'] as const satisfies readonly HoldCause[];

/** @param permission what this process remembers; a replica that does not lead remembers nothing, and reads the status. */
export function losing(user: User, permission: Permission | undefined): Losing | undefined {
  if (user.metadata.deletionTimestamp === undefined) return undefined;
  if (hasBegun(user)) return { cause: 'Deleting', permission: { given: true } };
  const hold = user.status?.hold;
  return {
    cause: 'Deleting',
    permission: permission ?? (hold === undefined ? undefined : { given: false, hold }),
  };
}

/** The same of a User whose session ends since the directory says so: that is counted, too, and may be an accident. */
export function losingSession(user: User, permission: Permission | undefined): Losing {
  const hold = user.status?.hold;
  return {
    cause: 'Inactive',
    permission: permission ?? (hold === undefined ? undefined : { given: false, hold }),
  };
}

/**
 * How the directory costs the User its session now, if it does.
 * @param word the status that its word makes
 */
export function losesSession(
  user: User,
  policy: TokenPolicy | undefined,
  word: DirectoryStatus | undefined,
  view: DirectoryView | undefined,
): 'Inactive' | 'PasswordChanged' | undefined {
  if (user.metadata.deletionTimestamp !== undefined) return undefined;
  if (endsSession(user, word)) return 'Inactive';
  const session = user.status?.session;
  return session && policy && isPasswordNewer(session, policy, view?.finding?.passwordChangedAt)
    ? 'PasswordChanged'
    : undefined;
}

export function mayBeTaken(its: Losing | undefined): boolean {
  return its?.permission?.given === true;
}

/** The hold that keeps the User from losing it. */
export function holdOf(its: Losing | undefined): string | undefined {
  return its?.permission?.given === false ? its.permission.hold : undefined;
}
