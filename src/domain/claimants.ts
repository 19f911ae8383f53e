// Who holds a username or a namespace that several Users claim: the oldest.
import type { User } from '../api/user.ts';

/**
 * The User that keeps what all `claimants` claim. The API server sets creationTimestamp (RFC 3339, UTC, seconds), so
 * it sorts as text; the UID settles a tie the same way on every replica.
 */
export function holder(claimants: Iterable<User>): User | undefined {
  let oldest: User | undefined;
  for (const user of claimants) if (!oldest || isOlder(user, oldest)) oldest = user;
  return oldest;
}

function isOlder(a: User, b: User): boolean {
  const [mine, theirs] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  return mine === theirs ? a.metadata.uid < b.metadata.uid : mine < theirs;
}
