// Who holds a username, a namespace or an account that several Users claim: the oldest.
import type { User } from '../api/user.ts';

/**
 * The User that keeps what all `claimants` claim. The API server sets creationTimestamp (RFC 3339, UTC), so it sorts as
 * text. It counts in seconds and Users are made faster: of a tie the one keeps it that its status says has it, and where
 * none has, the UID settles it the same way on every replica.
 */
export function holder(claimants: Iterable<User>, comesBefore = isOlder): User | undefined {
  let first: User | undefined;
  for (const user of claimants) if (!first || comesBefore(user, first)) first = user;
  return first;
}

export function isOlder(a: User, b: User): boolean {
  const [mine, theirs] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (mine !== theirs) return mine < theirs;
  const [iHave, theyHave] = [a, b].map(({ status }) => status?.username !== undefined);
  return iHave === theyHave ? a.metadata.uid < b.metadata.uid : iHave === true;
}

/**
 * As isOlder, of Users that claim one account under a username each: each has its own, so no status tells which had the
 * account first, and of a tie the UID alone settles who keeps it.
 */
export function isOlderForAccount(a: User, b: User): boolean {
  const [mine, theirs] = [a.metadata, b.metadata];
  return mine.creationTimestamp === theirs.creationTimestamp
    ? mine.uid < theirs.uid
    : mine.creationTimestamp < theirs.creationTimestamp;
}
