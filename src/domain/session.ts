// When a session counts, and what one holds when it begins.
import type { TokenPolicy } from '../api/token-policy.ts';
import type { Session, User } from '../api/user.ts';
import { timestamp } from './conditions.ts';
import { durationMs } from '../duration.ts';
import { unbroken, type Witness } from './witness.ts';

/** Why a session that is written in a User no longer counts. */
export type SessionEnd =
  'NewEpoch' | 'RestoredUser' | 'UnwatchedChange' | 'SessionTooOld' | 'PasswordChanged';

/** @returns why the session of `user` is over; undefined while it counts, or where there is none. */
export function sessionEnd(
  user: User,
  policy: TokenPolicy,
  seen: Witness | undefined,
  now: Date,
): SessionEnd | undefined {
  const session = user.status?.session;
  if (!session) return undefined;
  if (session.epoch !== policy.status?.epoch) return 'NewEpoch';
  if (session.userUID !== user.metadata.uid) return 'RestoredUser';
  if (!unbroken(session.generation, user.metadata.generation ?? 0, seen)) return 'UnwatchedChange';
  const end = sessionEndsAt(session, policy);
  return end && now >= end ? 'SessionTooOld' : undefined;
}

/** When the policy ends the session for its age. */
export function sessionEndsAt({ startedAt }: Session, { spec }: TokenPolicy): Date | undefined {
  const maxAge = spec.session?.maxAge;
  return maxAge === undefined ? undefined : new Date(Date.parse(startedAt) + durationMs(maxAge));
}

/**
 * Whether the password was changed since the sign-in, and the policy ends sessions for that. The directory's own times
 * are compared, since its clock may differ from ours; only where it had none at the sign-in does the sign-in stand for
 * it. A time that goes back is that of a replica which lags behind, and says nothing.
 * @param changedAt milliseconds since 1970; undefined where it is not known
 */
export function isPasswordNewer(
  { startedAt, passwordChangedAt }: Session,
  { spec }: TokenPolicy,
  changedAt: number | undefined,
): boolean {
  if (spec.session?.endOnPasswordChange !== true || changedAt === undefined) return false;
  const before = Date.parse(passwordChangedAt ?? startedAt);
  return changedAt >= before + GRAIN_MS;
}

/** Times in a status are cut off to the second. */
const GRAIN_MS = 1_000;

/**
 * A new session. `id` is random and names it; `policy` must have an epoch, which the caller's gate checks.
 * @param passwordChangedAt as the directory has just said, in milliseconds since 1970
 */
export function startSession(
  user: User,
  policy: TokenPolicy,
  id: string,
  now: Date,
  passwordChangedAt?: number,
): Session {
  return {
    id,
    startedAt: timestamp(now),
    epoch: policy.status?.epoch ?? '',
    userUID: user.metadata.uid,
    generation: user.metadata.generation ?? 0,
    ...(isTime(passwordChangedAt) && { passwordChangedAt: timestamp(new Date(passwordChangedAt)) }),
  };
}

/** The session after the user has signed in once more: its age begins anew where it counts. */
export function continueSession(session: Session, { spec }: TokenPolicy, now: Date): Session {
  return spec.session?.maxAge === undefined ? session : { ...session, startedAt: timestamp(now) };
}

function isTime(ms: number | undefined): ms is number {
  return ms !== undefined && ms >= 0 && ms <= LATEST_MS;
}

/** The last moment that RFC 3339 can write. */
const LATEST_MS = Date.parse('9999-12-31T23:59:59Z');
