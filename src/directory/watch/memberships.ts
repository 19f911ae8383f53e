// Keeps who was in which group at the latest sweep.
import { isDeepStrictEqual } from 'node:util';
import type { DirectoryView, Membership } from '../../domain/finding.ts';

export interface Memberships {
  find(username: string): DirectoryView['membership'];
  /** Takes in what a sweep that was begun at `askedAt` has shown of everybody. */
  replace(found: ReadonlyMap<string, Membership>, askedAt: Date): void;
  /** The usernames of which something else is known than at the last call. */
  takeChanged(): readonly string[];
  clear(): void;
}

export function memberships(): Memberships {
  let known: ReadonlyMap<string, Membership> = new Map();
  let askedAt = new Date(0);
  const changed = new Set<string>();
  return {
    find(username) {
      const membership = known.get(username);
      return membership && { ...membership, askedAt };
    },
    replace(found, at) {
      for (const username of new Set([...known.keys(), ...found.keys()]))
        if (!isDeepStrictEqual(known.get(username), found.get(username))) changed.add(username);
      known = found;
      askedAt = at;
    },
    takeChanged() {
      const usernames = [...changed];
      changed.clear();
      return usernames;
    },
    clear() {
      known = new Map();
      changed.clear();
    },
  };
}
