// One connection of the watch to one server: sweeps everybody, asks for changes, asks for names.
import type { TLSSocket } from 'node:tls';
import type { Spell, ValueFault } from '../../../domain/standing.ts';
import { DirectoryError } from '../../directory.ts';
import type { Account, Roster } from '../../watch/roster.ts';
import type { DirectoryTally } from '../../watch/tally.ts';
import type { Wanted } from '../../watch/watch.ts';
import { DETECTION_ATTRIBUTES, detectDialect, dialectOf } from '../dialects/dialect.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { passwordPolicies, POLICY_ATTRIBUTE } from '../dialects/openldap-policies.ts';
import { canonicalDn } from '../distinguished-name.ts';
import { DEFAULT_ID_ATTRIBUTES, idOf, textsOf } from '../entry.ts';
import type { Entry } from '../entry.ts';
import { generalizedTime } from '../generalized-time.ts';
import { allMembers } from '../groups.ts';
import type { Members } from '../groups.ts';
import { pagedSearch } from '../paged-search.ts';
import { search } from '../search.ts';
import { bindServiceAccount } from '../service-account.ts';
import type { CheckedLdapSettings } from '../settings.ts';
import { within } from '../within.ts';
import { groupStamps } from './group-stamps.ts';
import { NOTICE_ATTRIBUTES, noticesOf } from './notices.ts';
import type { NoticeSource } from './notices.ts';
import { advanced, afterSweep, changedSince, LatestChange } from './watermark.ts';
import type { Mark, UsnMark } from './watermark.ts';

/** A page of a sweep may take so many times as long as another answer. */
const SWEEP_PATIENCE = 6;
/** For a sweep, or all changes, or all names together: a server may page for ever. */
const LONGEST_MS = 10 * 60_000;
/** So many names are asked for in one search. */
const NAMES_AT_ONCE = 50;
/** So many entries may answer to them; they are kept until the last has come. */
const MAX_NAMESAKES = 5_000;
export interface SessionOptions {
  readonly settings: CheckedLdapSettings;
  readonly roster: Roster;
  readonly wanted: Wanted;
  readonly count: DirectoryTally;
}

export interface Sweep extends Members {
  /** From which to follow. */
  readonly mark: Mark | undefined;
}

export interface WatchSession {
  readonly dialect: Dialect;
  /** How this server can say that something has changed. */
  readonly notices: NoticeSource | undefined;
  /** Whether this server can be asked for changes since a mark of another conversation. */
  canFollow(mark: Mark | undefined): boolean;
  /**
   * @param groups whose members to tell, too
   * @param tooLong those of them that cannot be read, remembered over conversations
   * @throws {Error} where the answer is not whole
   */
  sweep(groups: readonly string[], tooLong: Set<string>): Promise<Sweep>;
  /** Whether one of the groups has changed since the sweep of this conversation, by its own entry. */
  haveGroupsChanged(groups: readonly string[]): Promise<boolean>;
  /** @returns the next mark. @throws {Error} where the answer is not whole */
  changes(mark: Mark): Promise<Mark>;
  /** Asks for all doubtful names of the roster. @throws {Error} where the answer is not whole */
  settleDoubts(): Promise<void>;
}

/** @throws {DirectoryError} and whatever breaks the conversation */
export async function openSession(
  socket: TLSSocket,
  { settings, roster, wanted, count }: SessionOptions,
): Promise<WatchSession> {
  const { baseDN, filter, idAttribute, inactiveFilter, timeoutMs } = settings;
  count.requested('bind');
  await within(socket, timeoutMs, () => bindServiceAccount(socket, settings));
  const first = await root();
  const dialect = settings.dialect === undefined ? detectDialect(first) : dialectOf(settings.dialect);
  const policies =
    dialect.name === 'openldap'
      ? passwordPolicies((asked) => {
          count.requested('policy');
          return within(socket, timeoutMs, () => search(socket, { ...asked, timeoutMs }));
        })
      : undefined;
  const counts = usnOf(first) !== undefined;
  let stamps: string | undefined;
  const attributes = [
    ...new Set([
      ...filter.attributes,
      ...(idAttribute === undefined ? DEFAULT_ID_ATTRIBUTES : [idAttribute]),
      ...dialect.attributes,
      ...(counts ? [] : ['modifyTimestamp']),
    ]),
  ];

  async function root(): Promise<Entry> {
    count.requested('root');
    const { entries } = await within(socket, timeoutMs, () =>
      search(socket, {
        baseDN: '',
        scope: 'base',
        attributes: [...DETECTION_ATTRIBUTES, ...NOTICE_ATTRIBUTES, 'dsServiceName', 'highestCommittedUSN'],
        sizeLimit: 1,
        timeoutMs,
      }),
    );
    return entries[0] ?? { dn: '', attributes: new Map() };
  }

  /** Reads everything that `which` finds among everybody. @returns the latest change, and how much was seen */
  async function read(
    which: string,
    { pageTimeoutMs, maxEntries }: { readonly pageTimeoutMs: number; readonly maxEntries?: number },
    take: (account: Account, dn: string) => void,
  ) {
    const page = {
      baseDN,
      pageTimeoutMs,
      ...(maxEntries !== undefined && { maxEntries }),
      onRequest: () => count.requested('page'),
    };
    const excluded = new Set<string>();
    if (inactiveFilter !== undefined)
      await pagedSearch(
        socket,
        { ...page, filter: `(&${which}${inactiveFilter})`, attributes: filter.attributes },
        (entry) => {
          if (usernamesOf(entry).some((name) => wanted.has(name))) excluded.add(entry.dn);
        },
      );
    const latest = new LatestChange(Date.now());
    const seen = await pagedSearch(socket, { ...page, filter: which, attributes }, (entry) => {
      take(accountOf(entry, excluded.has(entry.dn)), entry.dn);
      latest.note(generalizedTime(textsOf(entry, 'modifyTimestamp')[0] ?? ''));
    });
    return { ...seen, latest };
  }

  const usernamesOf = (entry: Entry) => filter.usernamesOf((attribute) => textsOf(entry, attribute));

  function accountOf(entry: Entry, isExcluded: boolean): Account {
    const usernames = usernamesOf(entry);
    if (usernames.length === 0 && isIllegible(entry)) count.unusable('Binary');
    if (!usernames.some((name) => wanted.has(name))) return { key: keyOf(entry), usernames: [], spells: [] };
    const id = idOf(entry, idAttribute);
    const policy = policies?.of(entry);
    const spells: Spell[] = [...dialect.spellsOf(entry, policy)];
    if (policies && !policy) {
      // Asked for by name as soon as the policy is read; until then its times may be wrong.
      spells.push({ reason: 'Unreadable', attribute: POLICY_ATTRIBUTE });
      for (const name of usernames) if (wanted.has(name)) roster.doubt(name);
    }
    if (isExcluded) spells.push({ reason: 'Excluded' });
    if (id === undefined && idAttribute !== undefined)
      spells.push({ reason: 'Unreadable', attribute: idAttribute, fault: idFault(entry, idAttribute) });
    for (const { fault } of spells) if (fault) count.unusable(fault);
    const passwordChangedAt = dialect.passwordChangedAt(entry);
    return {
      key: keyOf(entry),
      usernames,
      spells,
      ...(id !== undefined && { id }),
      ...(passwordChangedAt !== undefined && { passwordChangedAt }),
    };
  }

  /** Whether it has values where a username should be, and none is text. */
  const isIllegible = (entry: Entry) =>
    filter.attributes.some((attribute) => {
      const values = entry.attributes.get(attribute.toLowerCase()) ?? [];
      return values.length > 0 && textsOf(entry, attribute).length === 0;
    });

  const keyOf = (entry: Entry) => idOf(entry, idAttribute) ?? entry.dn;

  return {
    dialect,
    notices: noticesOf(first, baseDN),
    canFollow(mark) {
      // Behind the same name another server may answer now.
      if (mark?.kind !== 'usn') return false;
      const now = usnOf(first);
      // A server that has counted less than we have seen was set back: what it did since is not ours to guess.
      return now !== undefined && now.server === mark.server && now.usn >= mark.usn;
    },
    sweep: (groups, tooLong) => within(socket, LONGEST_MS, () => sweep(groups, tooLong)),
    changes: (mark) => within(socket, LONGEST_MS, () => changes(mark)),
    async haveGroupsChanged(groups) {
      return stamps !== undefined && (await stampsOf(groups)) !== stamps;
    },
    settleDoubts: () => within(socket, LONGEST_MS, settleDoubts),
  };

  function stampsOf(groups: readonly string[]): Promise<string> {
    return groupStamps((asked) => {
      count.requested('group');
      return within(socket, timeoutMs, () => search(socket, { ...asked, timeoutMs }));
    }, groups);
  }

  async function sweep(groups: readonly string[], tooLong: Set<string>): Promise<Sweep> {
    const before = counts ? usnOf(await root()) : undefined;
    await policies?.refresh();
    const beganAt = performance.now();
    const people = new Map<string, readonly string[]>();
    roster.beginSweep();
    const { entries, latest } = await read(
      filter.everybody,
      { pageTimeoutMs: SWEEP_PATIENCE * timeoutMs },
      (account, dn) => {
        roster.note(account);
        const names = groups.length > 0 ? account.usernames.filter((name) => wanted.has(name)) : [];
        if (names.length > 0) people.set(canonicalDn(dn), names);
      },
    );
    if (entries === 0) throw nobodyThere();
    roster.endSweep();
    // Before their members are read: what changes meanwhile is seen at the next question.
    stamps = await stampsOf(groups);
    const mark = before ?? afterSweep(latest.ofAll, { beganAt, endedAt: performance.now() });
    const question = { groups, people, tooLong, dialect: dialect.name, filter, baseDN };
    return { mark, ...(await allMembers(socket, { ...question, timeoutMs: SWEEP_PATIENCE * timeoutMs })) };
  }

  async function changes(mark: Mark): Promise<Mark> {
    const next = mark.kind === 'usn' ? usnOf(await root()) : undefined;
    if (mark.kind === 'usn') {
      if (!next || next.server !== mark.server || next.usn < mark.usn) throw new AnotherServer();
      if (next.usn === mark.usn) return mark;
    }
    const which = `(&${filter.everybody}${changedSince(mark)})`;
    const beganAt = performance.now();
    const { latest } = await read(which, { pageTimeoutMs: timeoutMs }, (account) => roster.note(account));
    if (mark.kind === 'usn') return next ?? mark;
    return advanced(mark, latest.after(mark), { beganAt, endedAt: performance.now() });
  }

  async function settleDoubts(): Promise<void> {
    await policies?.readNew();
    const doubtful = roster.doubtful();
    for (let at = 0; at < doubtful.length; at += NAMES_AT_ONCE) {
      const names = doubtful.slice(at, at + NAMES_AT_ONCE);
      const filters = names.flatMap((name) => [...new Set([name, wanted.spelling(name)])].map(filter.for));
      const accounts: Account[] = [];
      const { references } = await read(
        `(|${filters.join('')})`,
        { pageTimeoutMs: timeoutMs, maxEntries: MAX_NAMESAKES },
        (account) => accounts.push(account),
      );
      // Active Directory refers to its other partitions in every answer.
      roster.settle(names, accounts, references === 0 || dialect.name === 'active-directory');
    }
  }
}

/** The watermark belongs to another server, or to an earlier life of this one. */
export class AnotherServer extends Error {
  constructor() {
    super('another server answers, or it was set back');
    this.name = 'AnotherServer';
  }
}

function idFault(entry: Entry, idAttribute: string): ValueFault {
  const values = entry.attributes.get(idAttribute.toLowerCase()) ?? [];
  if (values.length !== 1) return values.length === 0 ? 'NotThere' : 'SeveralValues';
  return textsOf(entry, idAttribute).length === 0 ? 'Binary' : 'TooLong';
}

function usnOf(root: Entry): UsnMark | undefined {
  const [server] = textsOf(root, 'dsServiceName');
  const [usn] = textsOf(root, 'highestCommittedUSN');
  if (server === undefined || usn === undefined || !/^\d{1,19}$/.test(usn)) return undefined;
  return { kind: 'usn', server, usn: BigInt(usn) };
}

function nobodyThere(): DirectoryError {
  return new DirectoryError(
    'DirectoryMisconfigured',
    'The search for all users finds nobody, which is not believed: check baseDN, userFilter, and what bindDN may read.',
    { fault: 'NobodyFound' },
  );
}
