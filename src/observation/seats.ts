// Counts who comes before whom for a seat of the licence, however many Users there are.
import type { User } from '../api/user.ts';
import { isOlder } from '../domain/claimants.ts';
import { isSeated, wantsSeat } from '../domain/seats.ts';
import type { Store } from '../kubernetes/store.ts';
import type { CachedUser } from './views.ts';

export interface Seating {
  /** How many Users come before this one: those that are signed in, and of the others the older ones. */
  ahead(user: User): number;
  /**
   * The names of the Users to look at again after a change, where there are `most` seats: the last that has one, and the
   * first that has none.
   */
  atTheEdge(most: number): readonly string[];
}

/** Follows `users` from now on; make it before the store has its first object. */
export function seating(users: Store<CachedUser>): Seating {
  let seated = 0;
  /** Those that are not signed in, the oldest first. */
  const waiting: User[] = [];

  /** How many of those that wait are older. */
  function placeOf(user: User): number {
    let low = 0;
    let high = waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = waiting[middle];
      if (other && isOlder(other, user)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  users.onChange((before, after) => {
    if (before && wantsSeat(before.user)) {
      if (isSeated(before.user)) seated -= 1;
      else waiting.splice(placeOf(before.user), 1);
    }
    if (after && wantsSeat(after.user)) {
      if (isSeated(after.user)) seated += 1;
      else waiting.splice(placeOf(after.user), 0, after.user);
    }
  });

  return {
    ahead(user) {
      const cached = users.get(user.metadata.name);
      const isCounted = cached?.uid === user.metadata.uid && wantsSeat(cached.user) && isSeated(cached.user);
      return seated - (isCounted ? 1 : 0) + placeOf(user);
    },
    atTheEdge(most) {
      const edge = most - seated;
      if (edge > waiting.length) return [];
      return waiting.slice(Math.max(edge - 1, 0), edge + 1).map(({ metadata }) => metadata.name);
    },
  };
}
