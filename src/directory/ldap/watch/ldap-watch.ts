// Watches an LDAP directory: changes every second or when it rings, everybody now and then, and whether anybody answers.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { roster } from '../../watch/roster.ts';
import type { DirectoryWatch, Wanted } from '../../watch/watch.ts';
import { connector } from '../connector.ts';
import { textsOf } from '../entry.ts';
import { checkedSettings } from '../settings.ts';
import type { LdapSettings } from '../settings.ts';
import { unreachable } from '../unreachable.ts';
import { backOff } from './back-off.ts';
import { bell } from './bell.ts';
import { listen } from './listen.ts';
import { openSession } from './session.ts';
import type { WatchSession } from './session.ts';
import { changedSince } from './watermark.ts';
import type { Mark } from './watermark.ts';

/** Asking takes at most this share of the time, whatever the intervals say. */
const CHANGES_SHARE = 0.4;
const SWEEP_SHARE = 0.05;
/** Between two questions, however often the directory says that something has changed. */
const LEAST_PAUSE_MS = 100;

export interface LdapWatchOptions {
  readonly wanted: Wanted;
  /** Between two questions for changes. */
  readonly changesIntervalMs: number;
  /** Between two sweeps. */
  readonly sweepIntervalMs: number;
  readonly log: Logger;
}

/** @throws {DirectoryError} `DirectoryMisconfigured`, naming the setting that is wrong; nothing is connected yet */
export function ldapWatch(settings: LdapSettings, options: LdapWatchOptions): DirectoryWatch {
  const { wanted, changesIntervalMs, sweepIntervalMs, log } = options;
  const checked = checkedSettings(settings);
  const connect = connector(checked.endpoints, checked.timeoutMs);
  const known = roster(wanted);
  const findingListeners: ((folded: readonly string[]) => void)[] = [];
  const hearingListeners: (() => void)[] = [];
  let askedAt: Date | undefined;
  let isSilent = false;
  let isRunning = false;
  let mark: Mark | undefined;
  const doorbell = bell();

  function tellFindings(): void {
    const changed = known.takeChanged();
    if (changed.length > 0) for (const listener of findingListeners) listener(changed);
  }

  function setSilent(silent: boolean): void {
    if (isSilent === silent) return;
    isSilent = silent;
    if (!silent) log.info({ event: 'DirectoryHeard' }, 'the directory answers again');
    for (const listener of hearingListeners) listener();
  }

  /** Ends only by an error. */
  async function follow(session: WatchSession, signal: AbortSignal, onAnswer: () => void): Promise<never> {
    let isListening = false;
    let sweepDueAt = session.canFollow(mark) ? performance.now() + sweepIntervalMs : 0;
    for (;;) {
      const at = new Date();
      known.ask(at);
      const beganAt = performance.now();
      const isSweep = beganAt >= sweepDueAt;
      const isAsked = isSweep || mark !== undefined;
      if (isSweep) mark = await session.sweep();
      else if (mark) mark = await session.changes(mark);
      await session.settleDoubts();
      const tookMs = performance.now() - beganAt;
      if (isAsked) {
        const isFirst = askedAt === undefined;
        askedAt = at;
        known.answered();
        if (isFirst) for (const listener of hearingListeners) listener();
        setSilent(false);
        onAnswer();
      }
      tellFindings();
      if (isSweep) sweepDueAt = beganAt + Math.max(sweepIntervalMs, tookMs / SWEEP_SHARE);
      if (isAsked && !isListening) {
        isListening = true;
        void listenTo(session, signal);
      }
      const paceMs = isSweep ? 0 : tookMs / CHANGES_SHARE;
      await doorbell.pause(Math.max(LEAST_PAUSE_MS, paceMs), Math.max(changesIntervalMs, paceMs), signal);
    }
  }

  /** What it says is no news, only a reason to ask; of whom it says that he is gone is asked for by name. */
  async function listenTo({ notices }: WatchSession, signal: AbortSignal): Promise<void> {
    const { everybody, usernamesOf } = checked.filter;
    if (notices === undefined || (notices === 'sync' && !mark)) return;
    await listen(
      {
        settings: checked,
        connect,
        kind: notices,
        filter: () => (notices === 'sync' && mark ? `(&${everybody}${changedSince(mark)})` : everybody),
        onNotice(entry, isDeleted) {
          if (isDeleted)
            for (const username of usernamesOf((attribute) => textsOf(entry, attribute)))
              if (wanted.has(username)) known.doubt(username);
          doorbell.ring();
        },
        log,
      },
      signal,
    );
  }

  async function converse(signal: AbortSignal, onAnswer: () => void): Promise<never> {
    const socket = await connect(signal);
    const over = new AbortController();
    try {
      const session = await openSession(socket, { settings: checked, roster: known, wanted });
      return await follow(session, AbortSignal.any([signal, over.signal]), onAnswer);
    } finally {
      over.abort();
      socket.destroy();
    }
  }

  return {
    find: known.find,
    hearing: () => ({ askedAt, isSilent }),
    lookFor(folded) {
      if (!isRunning) return; // It begins with everybody.
      known.doubt(folded);
      doorbell.ring();
    },
    onFindings: (listener) => void findingListeners.push(listener),
    onHearing: (listener) => void hearingListeners.push(listener),
    async run(signal) {
      known.clear();
      mark = undefined;
      askedAt = undefined;
      isSilent = false;
      isRunning = true;
      try {
        await watchUntilAborted(signal);
      } finally {
        isRunning = false;
        known.clear();
      }
    },
  };

  async function watchUntilAborted(signal: AbortSignal): Promise<void> {
    const attempts = backOff();
    while (!signal.aborted) {
      const beganAt = performance.now();
      let isAnswered = false;
      const onAnswer = () => {
        isAnswered = true;
      };
      try {
        await converse(signal, onAnswer);
      } catch (error) {
        if (signal.aborted) return;
        // What was seen before it broke off is true all the same.
        tellFindings();
        const failures = attempts.failed(performance.now() - beganAt);
        const fault = unreachable(checked.url, error);
        const isNew = !isAnswered && failures > 1 && !isSilent;
        if (isNew) log.error({ event: 'DirectorySilent', err: fault }, fault.message);
        else log.debug({ err: fault }, 'the conversation with the directory broke off');
        if (isNew) setSilent(true);
      }
      await delay(attempts.pauseMs(), undefined, { signal }).catch(() => undefined);
    }
  }
}
