// The username and the namespace that a User claims, with their defaults applied.
import type { User } from '../api/user.ts';

export function effectiveUsername(user: User): string {
  return user.spec.username ?? user.metadata.name;
}

export function effectiveNamespace(user: User): string {
  return user.spec.namespace ?? user.metadata.name;
}

/** Two usernames that fold alike are one person: directories compare without regard to case. */
export function foldUsername(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}
