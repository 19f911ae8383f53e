// Finds the objects of a store by something other than their name.
import type { Store, Stored } from '../kubernetes/store.ts';

const NONE: ReadonlySet<never> = new Set();

export interface Index<V> {
  get(value: string): ReadonlySet<V>;
}

/** Follows `store` from now on; make it before the store has its first object. */
export function indexOf<V extends Stored>(store: Store<V>, valueOf: (object: V) => string): Index<V> {
  const found = new Map<string, Set<V>>();
  store.onChange((before, after) => {
    if (before) {
      const value = valueOf(before);
      const set = found.get(value);
      set?.delete(before);
      if (set?.size === 0) found.delete(value);
    }
    if (after) {
      const value = valueOf(after);
      const set = found.get(value);
      if (set) set.add(after);
      else found.set(value, new Set([after]));
    }
  });
  return { get: (value) => found.get(value) ?? NONE };
}
