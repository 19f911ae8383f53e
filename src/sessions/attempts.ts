// Limits how often passwords can be tried, below any directory's own lockout.
import { isIPv6 } from 'node:net';

export interface AttemptLimits {
  /** Failed sign-ins of one username within the window, after which the directory is not asked any more. */
  readonly perUser: number;
  /** The same for one address (for IPv6, its /64). */
  readonly perAddress: number;
  readonly windowMs: number;
}

/** As many names and addresses are remembered at once; then new ones wait, and nobody's count is forgotten early. */
const MOST_KEYS = 50_000;

interface Count {
  failures: number;
  readonly until: number;
}

export interface Attempts {
  /** Counts an attempt ahead of its outcome, so that many at once cannot pass together. @returns ms to wait, or 0. */
  begin(username: string, address: string, now: Date): number;
  /** Takes back what `begin` counted: the password was right, or the directory gave no answer. */
  forgive(username: string, address: string): void;
}

/** Each replica counts for itself. `username` is folded already. */
export function attempts({ perUser, perAddress, windowMs }: AttemptLimits): Attempts {
  const counts = new Map<string, Count>();

  /** Entries lie in the order of their ends, since all windows are equally long. */
  function dropExpired(now: number): void {
    for (const [key, { until }] of counts) {
      if (until > now) return;
      counts.delete(key);
    }
  }

  const keysOf = (username: string, address: string): [string, number][] => [
    [`user ${username}`, perUser],
    [`address ${network(address)}`, perAddress],
  ];

  return {
    begin(username, address, at) {
      const now = at.getTime();
      dropExpired(now);
      const keys = keysOf(username, address);
      for (const [key, limit] of keys) {
        const count = counts.get(key);
        if (count ? count.failures >= limit : counts.size >= MOST_KEYS)
          return count ? count.until - now : windowMs;
      }
      for (const [key] of keys) {
        const count = counts.get(key);
        if (count) count.failures += 1;
        else counts.set(key, { failures: 1, until: now + windowMs });
      }
      return 0;
    },
    forgive(username, address) {
      for (const [key] of keysOf(username, address)) {
        const count = counts.get(key);
        if (count && count.failures > 0) count.failures -= 1;
      }
    },
  };
}

/** Whoever has one IPv6 address has its whole /64 (RFC 6177, section 2). */
function network(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::');
  const left = head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(8 - left.length - right.length, 0)).fill('0');
  return [...left, ...(address.includes('::') ? zeros : []), ...right].slice(0, 4).join(':');
}
