// When this replica learned that a session is over, for the measure of how soon after it the first no is given.
import { POLICY_NAME } from '../api/names.ts';
import type { Stores } from '../observation/caches.ts';

/** About a megabyte; the oldest are forgotten, and not measured. */
const MOST = 10_000;

export interface Causes {
  /**
   * @param issuedAt of the token, in seconds since 1970
   * @returns milliseconds since the cause was seen, for the first no after it; undefined for every later one, and for
   * whatever was no end of this session.
   */
  firstNo(sid: string, issuedAt: number): number | undefined;
}

/** On two clocks: that of `performance`, which only goes forward, and that of the tokens. */
interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

const moment = (): Moment => ({ monotonicMs: performance.now(), wallMs: Date.now() });

/** What one User's cause is, and the policy's, which is everybody's. */
export function causesOf({ users, policies }: Pick<Stores, 'users' | 'policies'>): Causes {
  const seen = new Map<string, Moment>();
  const told = new Set<string>();
  let everybodys: Moment | undefined;

  users.onChange((before, after) => {
    const sid = before?.user.status?.session?.id;
    if (sid === undefined || seen.has(sid)) return;
    const goesOn =
      after?.user.status?.session?.id === sid &&
      !after.user.spec.disabled &&
      after.user.metadata.deletionTimestamp === undefined;
    if (goesOn) return;
    seen.set(sid, moment());
    forget(seen);
  });
  policies.onChange((before, after) => {
    if ((after ?? before)?.name !== POLICY_NAME || !before) return;
    // The epoch that follows on a switch is its effect, and no later cause.
    if (!before.policy.spec.enabled) return;
    const shuts = after?.policy.spec.enabled !== true;
    if (shuts || before.policy.status?.epoch !== after.policy.status?.epoch) everybodys = moment();
  });

  return {
    firstNo(sid, issuedAt) {
      // Of a token that is younger than everybody's end the session began after it.
      const ofAll = everybodys && issuedAt * 1_000 <= everybodys.wallMs ? everybodys : undefined;
      const at = seen.get(sid) ?? ofAll;
      if (!at || told.has(sid)) return undefined;
      told.add(sid);
      forget(told);
      return performance.now() - at.monotonicMs;
    },
  };
}

function forget(remembered: Map<string, unknown> | Set<string>): void {
  for (const oldest of remembered.keys()) {
    if (remembered.size <= MOST) return;
    remembered.delete(oldest);
  }
}
