// Keeps what is known of each username that is wanted, and doubts what has not been asked for by name.
import { isDeepStrictEqual } from 'node:util';
import type { DirectoryView, Finding } from '../../domain/finding.ts';
import type { Spell } from '../../domain/standing.ts';
import type { Wanted } from './watch.ts';

export interface Account {
  /** Tells accounts apart: the id, else the DN. */
  readonly key: string;
  readonly id?: string;
  /** Every username that it bears, folded. */
  readonly usernames: readonly string[];
  readonly spells: readonly Spell[];
  /** In milliseconds since 1970 by the directory's clock, where it says so. */
  readonly passwordChangedAt?: number;
}

interface Known {
  readonly finding: Finding;
  /** When the question was asked that showed it, in milliseconds since 1970. */
  readonly askedAt: number;
  readonly key?: string;
  /** The sweep that saw it last. */
  readonly sweep: number;
}

export interface Roster {
  find(username: string): DirectoryView;
  /** A question is asked now: what is taken in from here on answers it. */
  ask(at: Date): void;
  /** The question is answered to the end, so whatever it has not contradicted stands by it. */
  answered(): void;
  /** Takes in an account that a sweep or a change has shown. Where it contradicts what is known, that is doubted. */
  note(account: Account): void;
  beginSweep(): void;
  /** Doubts every username that the sweep has not shown, although it saw everything. */
  endSweep(): void;
  /** Doubts what is known of a username, if anything is. */
  doubt(username: string): void;
  /** The usernames to ask for by name. */
  doubtful(): readonly string[];
  /**
   * Takes in who was asked for by name, and all accounts that bear one of the names: this settles the doubt.
   * @param isWhole whether the directory could say of all of them that it has none
   */
  settle(usernames: readonly string[], accounts: readonly Account[], isWhole: boolean): void;
  /** The usernames of which something else is known than at the last call. */
  takeChanged(): readonly string[];
  clear(): void;
}

const AMBIGUOUS: Finding = { state: 'Ambiguous', spells: [] };
const MISSING: Finding = { state: 'Missing', spells: [] };

export function roster(wanted: Wanted): Roster {
  const known = new Map<string, Known>();
  const usernamesOf = new Map<string, readonly string[]>();
  const doubts = new Set<string>();
  const changed = new Set<string>();
  let sweep = 0;
  let asking = 0;
  let lastAnswered = 0;

  function set(username: string, finding: Finding, key?: string): void {
    const before = known.get(username);
    known.set(username, { finding, sweep, askedAt: asking, ...(key !== undefined && { key }) });
    if (!isDeepStrictEqual(before?.finding, finding)) changed.add(username);
  }

  function note(account: Account): void {
    const usernames = account.usernames.filter((username) => wanted.has(username));
    for (const former of usernamesOf.get(account.key) ?? [])
      if (!usernames.includes(former)) doubts.add(former);
    if (usernames.length > 0) usernamesOf.set(account.key, usernames);
    else usernamesOf.delete(account.key);
    for (const username of usernames) {
      const before = known.get(username);
      const contradicts =
        before?.finding.state === 'Ambiguous' || (before?.key !== undefined && before.key !== account.key);
      // Replaced by another account, or one of two: only to ask for the name tells.
      if (contradicts) {
        doubts.add(username);
        known.set(username, { ...before, sweep });
      } else set(username, found(account), account.key);
    }
  }

  return {
    find(username) {
      const { finding, askedAt = 0 } = known.get(username) ?? {};
      const at = Math.max(askedAt, lastAnswered);
      return { finding, askedAt: at === 0 ? undefined : new Date(at) };
    },
    ask(at) {
      asking = at.getTime();
    },
    answered() {
      lastAnswered = asking;
    },
    note,
    beginSweep() {
      sweep += 1;
    },
    endSweep() {
      for (const username of wanted.all()) {
        const { finding, sweep: seen } = known.get(username) ?? {};
        if (seen !== sweep && finding?.state !== 'Missing') doubts.add(username);
      }
      // Users come and go, and what is kept of those that went would grow for ever.
      for (const username of known.keys()) if (!wanted.has(username)) known.delete(username);
      for (const [key, usernames] of usernamesOf)
        if (!usernames.some((username) => known.get(username)?.key === key)) usernamesOf.delete(key);
    },
    doubt: (username) => void doubts.add(username),
    doubtful: () => [...doubts],
    settle(usernames, accounts, isWhole) {
      for (const username of usernames) {
        doubts.delete(username);
        if (!wanted.has(username)) continue;
        const bearers = distinct(accounts.filter((account) => account.usernames.includes(username)));
        const [only] = bearers;
        if (only && bearers.length === 1) {
          usernamesOf.set(
            only.key,
            only.usernames.filter((name) => wanted.has(name)),
          );
          set(username, found(only), only.key);
        } else set(username, bearers.length === 0 && isWhole ? MISSING : AMBIGUOUS);
      }
    },
    takeChanged() {
      const usernames = [...changed];
      changed.clear();
      return usernames;
    },
    clear() {
      known.clear();
      usernamesOf.clear();
      doubts.clear();
      changed.clear();
      asking = 0;
      lastAnswered = 0;
    },
  };
}

/** A page may begin with what the last one ended with: an account that comes twice is one, unless it says two things. */
function distinct(accounts: readonly Account[]): readonly Account[] {
  return accounts.filter(
    (account, index) => accounts.findIndex((other) => isDeepStrictEqual(other, account)) === index,
  );
}

function found({ id, spells, passwordChangedAt }: Account): Finding {
  return {
    state: 'Found',
    spells,
    ...(id !== undefined && { id }),
    ...(passwordChangedAt !== undefined && { passwordChangedAt }),
  };
}
