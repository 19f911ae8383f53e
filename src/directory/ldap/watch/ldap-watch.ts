// Watches an LDAP directory: changes every second or when it rings, everybody now and then, and whether anybody answers.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { memberships } from '../../watch/memberships.ts';
import { roster } from '../../watch/roster.ts';
import type { DirectoryError } from '../../directory.ts';
import type { DirectoryTally, PollKind } from '../../watch/tally.ts';
import type { DirectoryWatch, Wanted } from '../../watch/watch.ts';
import { connector } from '../connector.ts';
import { isWithin } from '../distinguished-name.ts';
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
/** In a row; the first may be an accident. */
const TOO_MANY_FAILED_SWEEPS = 2;

/** What a conversation is about now, and whether anything was answered in it. */
interface Poll {
  kind: PollKind;
  beganAt: number;
  /** When the last answer was whole. */
  answeredAt: number | undefined;
}

export interface LdapWatchOptions {
  readonly wanted: Wanted;
  /** The DNs of the groups whose members to tell; by default none. */
  readonly groups?: () => readonly string[];
  /** Between two questions for changes. */
  readonly changesIntervalMs: number;
  /** Between two sweeps. */
  readonly sweepIntervalMs: number;
  readonly count: DirectoryTally;
  /** The time to say when a question was asked: that by which is decided. */
  readonly now: () => Date;
  readonly log: Logger;
}

/** @throws {DirectoryError} `DirectoryMisconfigured`, naming the setting that is wrong; nothing is connected yet */
export function ldapWatch(settings: LdapSettings, options: LdapWatchOptions): DirectoryWatch {
  const { wanted, groups = () => [], changesIntervalMs, sweepIntervalMs, count, now, log } = options;
  const checked = checkedSettings(settings);
  const connect = connector(checked.endpoints, checked.timeoutMs);
  const known = roster(wanted);
  const members = memberships();
  const findingListeners: ((folded: readonly string[]) => void)[] = [];
  const hearingListeners: (() => void)[] = [];
  let askedAt: Date | undefined;
  let sweptAt: Date | undefined;
  /** While it is silent, what is wrong. */
  let fault: DirectoryError | undefined;
  let isRunning = false;
  let failedSweeps = 0;
  let mark: Mark | undefined;
  const doorbell = bell();
  let unknownGroups = '';
  const tooLong = new Set<string>();

  function tellFindings(): void {
    const changed = [...new Set([...known.takeChanged(), ...members.takeChanged()])];
    if (changed.length > 0) for (const listener of findingListeners) listener(changed);
  }

  function setFault(next: DirectoryError | undefined): void {
    if (fault?.fault === next?.fault) return;
    if (next) log.error({ event: 'DirectorySilent', fault: next.fault, err: next }, next.message);
    else log.info({ event: 'DirectoryHeard' }, 'the directory answers again');
    fault = next;
    for (const listener of hearingListeners) listener();
  }

  /** Changes may go on being told while no sweep comes to its end: then nobody is ever found missing. */
  function sayOfSweep(found: DirectoryError): void {
    failedSweeps += 1;
    if (failedSweeps === TOO_MANY_FAILED_SWEEPS)
      log.error({ event: 'DirectorySweepFails', fault: found.fault, err: found }, found.message);
  }

  /** Ends only by an error. */
  async function follow(session: WatchSession, signal: AbortSignal, poll: Poll): Promise<never> {
    let isListening = false;
    let sweepDueAt = session.canFollow(mark) ? performance.now() + sweepIntervalMs : 0;
    /** So that sweeping takes no more than its share. */
    let earliestSweepAt = 0;
    for (;;) {
      const at = now();
      known.ask(at);
      const beganAt = performance.now();
      const isSweep = beganAt >= sweepDueAt;
      const isAsked = isSweep || mark !== undefined;
      poll.kind = isSweep ? 'sweep' : 'changes';
      poll.beganAt = beganAt;
      if (isSweep) mark = await sweep(session, at);
      else if (mark) {
        const before = mark;
        mark = await session.changes(before);
        // A count that stands still is that of groups, too.
        const mayHave = mark.kind === 'time' || mark !== before;
        if (mayHave && (await session.haveGroupsChanged(groups())))
          sweepDueAt = Math.min(sweepDueAt, earliestSweepAt);
      }
      await session.settleDoubts();
      const tookMs = performance.now() - beganAt;
      if (isAsked) {
        const isFirst = askedAt === undefined;
        askedAt = at;
        known.answered();
        if (isFirst) for (const listener of hearingListeners) listener();
        if (isSweep) {
          sweptAt = at;
          failedSweeps = 0;
        }
        setFault(undefined);
        poll.answeredAt = performance.now();
        count.polled(poll.kind, 'Answered', tookMs);
      }
      tellFindings();
      if (isSweep) {
        earliestSweepAt = beganAt + tookMs / SWEEP_SHARE;
        sweepDueAt = Math.max(beganAt + sweepIntervalMs, earliestSweepAt);
      } else if (sweepDueAt <= performance.now()) doorbell.ring();
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
    if (notices === undefined || (notices.kind === 'sync' && !mark)) return;
    await listen(
      {
        settings: checked,
        connect,
        source: notices,
        filter: () => (notices.kind === 'sync' && mark ? `(&${everybody}${changedSince(mark)})` : everybody),
        onNotice(entry, isDeleted) {
          const names = usernamesOf((attribute) => textsOf(entry, attribute)).filter(wanted.has);
          if (isDeleted || !isWithin(entry.dn, checked.baseDN)) for (const name of names) known.doubt(name);
          // A notification tells of everything in the domain.
          if (notices.kind !== 'notification' || names.length > 0) doorbell.ring();
        },
        log,
      },
      signal,
    );
  }

  async function sweep(session: WatchSession, at: Date): Promise<Mark | undefined> {
    const swept = await session.sweep(groups(), tooLong);
    members.replace(swept.memberships, at);
    const unknown = swept.unknown.join(' ');
    if (unknown !== unknownGroups && unknown !== '')
      log.warn(
        { event: 'GroupsUnknown', groups: swept.unknown },
        'groups of spec.onboarding are not there, or not to be read: nobody joins or leaves by them',
      );
    unknownGroups = unknown;
    return swept.mark;
  }

  async function converse(signal: AbortSignal, poll: Poll): Promise<never> {
    const socket = await connect(signal);
    const over = new AbortController();
    try {
      const session = await openSession(socket, { settings: checked, roster: known, wanted, count });
      count.polled('connect', 'Answered', performance.now() - poll.beganAt);
      return await follow(session, AbortSignal.any([signal, over.signal]), poll);
    } finally {
      over.abort();
      socket.destroy();
    }
  }

  return {
    find: (folded) => ({ ...known.find(folded), membership: members.find(folded) }),
    hearing: () => ({ askedAt, isSilent: fault !== undefined, fault }),
    looks: () => ({ askedAt, sweptAt }),
    lookFor(folded) {
      if (!isRunning) return; // It begins with everybody.
      known.doubt(folded);
      doorbell.ring();
    },
    onFindings: (listener) => void findingListeners.push(listener),
    onHearing: (listener) => void hearingListeners.push(listener),
    async run(signal) {
      known.clear();
      members.clear();
      tooLong.clear();
      mark = undefined;
      askedAt = undefined;
      sweptAt = undefined;
      fault = undefined;
      failedSweeps = 0;
      isRunning = true;
      try {
        await watchUntilAborted(signal);
      } finally {
        isRunning = false;
        askedAt = undefined;
        sweptAt = undefined;
        known.clear();
        members.clear();
      }
    },
  };

  async function watchUntilAborted(signal: AbortSignal): Promise<void> {
    const attempts = backOff();
    while (!signal.aborted) {
      const beganAt = performance.now();
      const poll: Poll = { kind: 'connect', beganAt, answeredAt: undefined };
      try {
        await converse(signal, poll);
      } catch (error) {
        if (signal.aborted) return;
        // What was seen before it broke off is true all the same.
        tellFindings();
        const failures = attempts.failed((poll.answeredAt ?? beganAt) - beganAt);
        const found = unreachable(checked.url, error);
        count.polled(poll.kind, found.fault, performance.now() - poll.beganAt);
        log.debug({ err: found }, 'the conversation with the directory broke off');
        if (poll.answeredAt === undefined && failures > 1) setFault(found);
        else if (poll.kind === 'sweep') sayOfSweep(found);
      }
      await delay(attempts.pauseMs(), undefined, { signal }).catch(() => undefined);
    }
  }
}
