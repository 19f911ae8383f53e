// When a session counts, and what one holds when it begins.
import type { TokenPolicy } from '../api/token-policy.ts';
import type { Session, User } from '../api/user.ts';
import { timestamp } from './conditions.ts';
import { unbroken, type Witness } from './witness.ts';

/** Why a session that is written in a User no longer counts. */
export type SessionEnd = 'NewEpoch' | 'RestoredUser' | 'UnwatchedChange';

/** @returns why the session of `user` is over; undefined while it counts, or where there is none. */
export function sessionEnd(
  user: User,
  policy: TokenPolicy,
  seen: Witness | undefined,
): SessionEnd | undefined {
  const session = user.status?.session;
  if (!session) return undefined;
  if (session.epoch !== policy.status?.epoch) return 'NewEpoch';
  if (session.userUID !== user.metadata.uid) return 'RestoredUser';
  if (!unbroken(session.generation, user.metadata.generation ?? 0, seen)) return 'UnwatchedChange';
  return undefined;
}

/** A new session. `id` is random and names it; `policy` must have an epoch, which the caller's gate checks. */
export function startSession(user: User, policy: TokenPolicy, id: string, now: Date): Session {
  return {
    id,
    startedAt: timestamp(now),
    epoch: policy.status?.epoch ?? '',
    userUID: user.metadata.uid,
    generation: user.metadata.generation ?? 0,
  };
}
