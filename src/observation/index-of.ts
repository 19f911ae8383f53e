// Finds the objects of a store by something other than their name.
import type { Store, Stored } from '../kubernetes/store.ts';

export interface Index<V> {
  get(value: string): readonly V[];
}

/**
 * Follows `store` from now on; make it before the store has its first object. Nearly every value has one object, and is
 * kept without a Set of its own, which is larger than all else that an index holds of it.
 */
export function indexOf<V extends Stored>(
  store: Store<V>,
  valueOf: (object: V) => string | undefined,
): Index<V> {
  const found = new Map<string, V | Set<V>>();
  const at = (value: string): readonly V[] => {
    const held = found.get(value);
    if (held === undefined) return [];
    return held instanceof Set ? [...held] : [held];
  };
  store.onChange((before, after) => {
    const [old, value] = [before && valueOf(before), after && valueOf(after)];
    if (before && old !== undefined) {
      const held = found.get(old);
      if (held instanceof Set) held.delete(before);
      if (held === before || (held instanceof Set && held.size === 0)) found.delete(old);
    }
    if (after && value !== undefined) {
      const held = found.get(value);
      if (held instanceof Set) held.add(after);
      else found.set(value, held === undefined ? after : new Set([held, after]));
    }
  });
  return { get: at };
}
