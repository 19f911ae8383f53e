// When this replica learned that a session is over, for the measure of how soon after it the first no is given.
import { POLICY_NAME } from '../api/names.ts';
import type { Stores } from '../observation/caches.ts';

/** About a megabyte; the oldest are forgotten, and not measured. */
const MOST = 10_000;

export interface Causes {
  /** @returns milliseconds since the cause was seen, for the first no after it; undefined for every later one. */
  firstNo(sid: string): number | undefined;
}

/** What one User's cause is, and the policy's, which is everybody's. */
export function causesOf({ users, policies }: Pick<Stores, 'users' | 'policies'>): Causes {
  const seen = new Map<string, number>();
  const told = new Set<string>();
  let everybodys: number | undefined;

  users.onChange((before, after) => {
    const sid = before?.user.status?.session?.id;
    if (sid === undefined || seen.has(sid)) return;
    const goesOn =
      after?.user.status?.session?.id === sid &&
      !after.user.spec.disabled &&
      after.user.metadata.deletionTimestamp === undefined;
    if (goesOn) return;
    seen.set(sid, performance.now());
    forget(seen);
  });
  policies.onChange((before, after) => {
    if ((after ?? before)?.name !== POLICY_NAME || !before) return;
    const shuts = before.policy.spec.enabled && after?.policy.spec.enabled !== true;
    if (shuts || before.policy.status?.epoch !== after?.policy.status?.epoch) everybodys = performance.now();
  });

  return {
    firstNo(sid) {
      const at = seen.get(sid) ?? everybodys;
      if (at === undefined || told.has(sid)) return undefined;
      told.add(sid);
      forget(told);
      return performance.now() - at;
    },
  };
}

function forget(remembered: Map<string, unknown> | Set<string>): void {
  for (const oldest of remembered.keys()) {
    if (remembered.size <= MOST) return;
    remembered.delete(oldest);
  }
}
