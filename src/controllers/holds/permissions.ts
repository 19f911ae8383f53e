// Remembers what was decided of each User that is about to lose something: given, or held.
import { isDeepStrictEqual } from 'node:util';
import type { HoldCause } from '../../api/token-policy.ts';
import type { Permission } from '../../domain/holds.ts';

type ByKey = ReadonlyMap<string, Permission>;

export interface Permissions {
  /** Undefined where nothing is decided yet; `key` is the UID of the User. */
  of(cause: HoldCause, key: string): Permission | undefined;
  /** Whether anybody is held by this cause. */
  holds(cause: HoldCause): boolean;
  /** Takes in a decision; whom a cause does not name any more is forgotten. */
  replace(cause: HoldCause, permissions: ByKey): void;
  /** The loss that it was for has come about, or is not to come any more. */
  forget(cause: HoldCause, key: string): void;
  clear(): void;
  /** Told of every key whose permission has changed. */
  onChange(listener: (cause: HoldCause, keys: readonly string[]) => void): void;
}

/** In a replica that does not lead it stays empty: what is held is then read from the status of each User. */
export function permissions(): Permissions {
  const known = new Map<HoldCause, Map<string, Permission>>();
  const listeners: ((cause: HoldCause, keys: readonly string[]) => void)[] = [];
  return {
    of: (cause, key) => known.get(cause)?.get(key),
    holds: (cause) => [...(known.get(cause)?.values() ?? [])].some(({ given }) => !given),
    replace(cause, next) {
      const before = known.get(cause) ?? new Map<string, Permission>();
      known.set(cause, new Map(next));
      const keys = [...new Set([...before.keys(), ...next.keys()])].filter(
        (key) => !isDeepStrictEqual(before.get(key), next.get(key)),
      );
      if (keys.length > 0) for (const listener of listeners) listener(cause, keys);
    },
    forget: (cause, key) => void known.get(cause)?.delete(key),
    clear: () => known.clear(),
    onChange: (listener) => listeners.push(listener),
  };
}
