// Latchkey's watch over whichever real server a test has started, for the usernames that the test names.
import { foldUsername } from '../../../src/domain/effective.ts';
import type { DirectoryView } from '../../../src/domain/finding.ts';
import { pino } from 'pino';
import type { LdapSettings } from '../../../src/directory/ldap/settings.ts';
import { ldapWatch } from '../../../src/directory/ldap/watch/ldap-watch.ts';
import type { DirectoryTally } from '../../../src/directory/watch/tally.ts';
import type { DirectoryWatch } from '../../../src/directory/watch/watch.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { afterTest } from '../../support/after-test.ts';

const DEADLINE_MS = 60_000;
const NEVER_MS = 60 * 60_000;

export interface Intervals {
  readonly changesIntervalMs: number;
  readonly sweepIntervalMs: number;
  /** Whose members it tells, too. */
  readonly groups?: () => readonly string[];
}

/** It asks once, and then no more unless the directory says that there is something to ask. */
export const ONLY_WHEN_TOLD: Intervals = { changesIntervalMs: NEVER_MS, sweepIntervalMs: NEVER_MS };

export interface Watched {
  readonly watch: DirectoryWatch;
  /** What is known of everybody now. */
  states(): readonly (string | undefined)[];
  until(username: string, holds: (view: DirectoryView) => boolean): Promise<void>;
  untilAllAreFound(): Promise<void>;
  /** How often each was counted: `sweep Answered`, `page`, `SeveralValues`. */
  counts(): ReadonlyMap<string, number>;
  /** The errors in its log. */
  log(): Record<string, unknown>[];
  /** Inactive by the word of the directory. */
  isDisabled(username: string): boolean;
}

/**
 * It ends with the test.
 * @param onName called for every username that the watch comes across
 */
export function watchDirectory(
  settings: LdapSettings,
  names: readonly string[],
  intervals: Intervals,
  onName: () => void = () => undefined,
): Watched {
  const spellings = new Map(names.map((name) => [foldUsername(name), name]));
  const lines: string[] = [];
  const counted = new Map<string, number>();
  const add = (what: string) => void counted.set(what, (counted.get(what) ?? 0) + 1);
  const tally: DirectoryTally = {
    polled: (kind, outcome) => add(`${kind} ${outcome}`),
    requested: add,
    unusable: add,
  };
  const watch = ldapWatch(settings, {
    wanted: {
      has(folded) {
        onName();
        return spellings.has(folded);
      },
      all: () => spellings.keys(),
      spelling: (folded) => spellings.get(folded) ?? folded,
    },
    ...intervals,
    count: tally,
    now: () => new Date(),
    log: pino({ level: 'error' }, { write: (line) => void lines.push(line) }),
  });
  const stop = new AbortController();
  const ended = watch.run(stop.signal);
  afterTest(async () => {
    stop.abort();
    await ended;
  });
  const states = () => names.map((name) => watch.find(foldUsername(name)).finding?.state);
  return {
    watch,
    states,
    counts: () => counted,
    log: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    async until(username, holds) {
      await waitUntil(`the watch to know ${username}`, DEADLINE_MS, () =>
        holds(watch.find(foldUsername(username))),
      );
    },
    async untilAllAreFound() {
      await waitUntil('everybody to be found', DEADLINE_MS, () =>
        states().every((state) => state === 'Found'),
      );
    },
    isDisabled: (username) =>
      watch.find(foldUsername(username)).finding?.spells.some(({ reason }) => reason === 'Disabled') === true,
  };
}
