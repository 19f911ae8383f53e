// Watches local accounts: who had one and has none any more, or one that is locked.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Finding } from '../../domain/finding.ts';
import { DirectoryError } from '../directory.ts';
import type { DirectoryTally } from '../watch/tally.ts';
import type { DirectoryWatch, Wanted } from '../watch/watch.ts';
import type { Roll } from './roll.ts';

/** The API server says at least once a minute that nothing has changed, and a watch that it forgets is found sooner. */
const SILENT_MS = 180_000;
const LOOK_EVERY_MS = 10_000;

const FOUND: Finding = { state: 'Found', spells: [] };
const LOCKED: Finding = { state: 'Found', spells: [{ reason: 'Disabled' }] };
const MISSING: Finding = { state: 'Missing', spells: [] };

export interface FollowedAccounts {
  /** Milliseconds since it was last known that what was told is so; at first since the beginning. */
  heardMs(): number;
  readonly done: Promise<void>;
}

/** Tells the accounts at once and whenever they change, until `signal` aborts. */
export type FollowAccounts = (
  told: (roll: Roll | DirectoryError) => void,
  signal: AbortSignal,
) => FollowedAccounts;

export interface LocalWatchOptions {
  readonly wanted: Wanted;
  /**
   * Whether a User of this username has signed in, or a directory has said something of it: of nobody else it is said
   * that the account is missing. Users may be there before their accounts.
   */
  readonly wasThere: (folded: string) => boolean;
  readonly count: DirectoryTally;
  /** The time to say when a question was asked: that by which is decided. */
  readonly now: () => Date;
  readonly log: Logger;
}

/** Accounts that cannot be read, are malformed or empty say nothing of anybody: what was known stands. */
export function localWatch(
  follow: FollowAccounts,
  { wanted, wasThere, count, now, log }: LocalWatchOptions,
): DirectoryWatch {
  const findingListeners: ((folded: readonly string[]) => void)[] = [];
  const hearingListeners: (() => void)[] = [];
  let heardMs = () => 0;
  let roll: Roll | undefined;
  /** What is wrong with what was told last, and since when. */
  let unusable: { readonly fault: DirectoryError; readonly since: Date } | undefined;
  /** What has been said of it. */
  let fault: DirectoryError | undefined;

  function askedAt(): Date | undefined {
    return roll && (unusable?.since ?? new Date(now().getTime() - heardMs()));
  }

  function findingOf(folded: string): Finding | undefined {
    const isLocked = roll?.get(folded);
    if (isLocked !== undefined) return isLocked ? LOCKED : FOUND;
    return roll && wasThere(folded) ? MISSING : undefined;
  }

  /** @param isNews whether it is to be told although nothing is better or worse */
  function consider(isNews = false): void {
    const next = unusable?.fault ?? (heardMs() > SILENT_MS ? SILENT : undefined);
    const isSame = next?.message === fault?.message;
    if (!isSame && next) log.error({ event: 'DirectorySilent', fault: next.fault, err: next }, next.message);
    if (!isSame && !next) log.info({ event: 'DirectoryHeard' }, 'the accounts can be read again');
    fault = next;
    if (isNews || !isSame) for (const listener of hearingListeners) listener();
  }

  function takeIn(next: Roll): readonly string[] {
    const before = roll;
    roll = next;
    unusable = undefined;
    if (!before) return [...wanted.all()];
    return [...new Set([...before.keys(), ...next.keys()])].filter(
      (folded) => before.get(folded) !== next.get(folded) && wanted.has(folded),
    );
  }

  function hear(told: Roll | DirectoryError): void {
    const beganAt = performance.now();
    const isFirst = !roll;
    const changed = told instanceof DirectoryError ? [] : takeIn(told);
    if (told instanceof DirectoryError) unusable = { fault: told, since: askedAt() ?? now() };
    const outcome = told instanceof DirectoryError ? told.fault : 'Answered';
    count.polled('sweep', outcome, performance.now() - beganAt);
    consider(isFirst);
    if (changed.length > 0) for (const listener of findingListeners) listener(changed);
  }

  return {
    find: (folded) => ({ finding: findingOf(folded), askedAt: askedAt() }),
    hearing: () => ({ askedAt: askedAt(), isSilent: fault !== undefined, fault }),
    looks: () => ({ askedAt: askedAt(), sweptAt: askedAt() }),
    lookFor: () => undefined, // All accounts are known, whoever asks.
    onFindings: (listener) => void findingListeners.push(listener),
    onHearing: (listener) => void hearingListeners.push(listener),
    async run(signal) {
      roll = undefined;
      unusable = undefined;
      fault = undefined;
      heardMs = () => 0;
      const followed = follow(hear, signal);
      heardMs = () => followed.heardMs();
      while (!signal.aborted) {
        await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) consider();
      }
      await followed.done;
      roll = undefined;
    },
  };
}

const SILENT = new DirectoryError(
  'DirectoryUnreachable',
  'The Secret of the local accounts cannot be read: see the log for the watch that is interrupted.',
  { fault: 'TooSlow' },
);
