// How many tokens lie in the Secrets of Users, and how long the one with the least time still lives.
import type { User } from '../api/user.ts';
import { effectiveNamespace } from '../domain/effective.ts';
import type { Stores } from './caches.ts';

export interface LiveTokens {
  readonly count: number;
  /** Milliseconds; below 0 where one has expired in its Secret, which must not happen. Undefined without a token. */
  readonly leastRemainingMs: number | undefined;
}

/**
 * One look at each User: a few milliseconds for ten thousand. The expiry is read from an annotation that whoever may
 * write into that namespace can forge, until the operator puts it right: good for watching, nothing else.
 */
export function liveTokens({ users, secrets }: Pick<Stores, 'users' | 'secrets'>, now: number): LiveTokens {
  let count = 0;
  let soonest = Number.POSITIVE_INFINITY;
  for (const { user, uid } of users.values()) {
    const secret = secrets.get(effectiveNamespace(user));
    // A Secret of somebody else's in a namespace that two Users claim, or that is not ours, is not this User's.
    if (secret?.claimedExpiry === undefined || secret.userUID !== uid) continue;
    count += 1;
    soonest = Math.min(soonest, secret.claimedExpiry);
  }
  return { count, leastRemainingMs: count === 0 ? undefined : soonest - now };
}

/** How many Users there are of each phase; one whose status nobody has written yet counts as Pending. */
export function usersByPhase(stores: Pick<Stores, 'users'>): Map<string, number> {
  return countedBy(stores, ({ status }) => status?.phase ?? 'Pending');
}

/** How many Users there are by what the directory says of them; NotAsked where it has not said anything yet. */
export function usersByDirectory(stores: Pick<Stores, 'users'>): Map<string, number> {
  return countedBy(stores, ({ status }) => status?.directory?.state ?? 'NotAsked');
}

function countedBy({ users }: Pick<Stores, 'users'>, wordFor: (user: User) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { user } of users.values()) {
    const word = wordFor(user);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
