// Asks an LDAP directory who is in which group.
import type { Socket } from 'node:net';
import { Filter } from 'ldapts';
import { foldUsername } from '../../domain/effective.ts';
import type { Membership } from '../../domain/finding.ts';
import { DirectoryError } from '../directory.ts';
import { FaultyAnswer } from '../fault.ts';
import { canonicalDn } from './distinguished-name.ts';
import type { DialectName } from './dialects/dialect.ts';
import { textsOf } from './entry.ts';
import type { Entry } from './entry.ts';
import { pagedSearch } from './paged-search.ts';
import { search } from './search.ts';
import type { UserFilter } from './user-filter.ts';

// LDAP_MATCHING_RULE_IN_CHAIN, [MS-ADTS] 3.1.1.3.4.4.3: through groups in groups.
const IN_CHAIN = '1.2.840.113556.1.4.1941';
/** Of groupOfNames and most others; of groupOfUniqueNames. */
const MEMBERS_BY_DN = ['member', 'uniqueMember'] as const;
/** Of posixGroup (RFC 2307): usernames in place of DNs. */
const MEMBERS_BY_NAME = 'memberUid';
const ANY_MEMBERS = `(|${[...MEMBERS_BY_DN, MEMBERS_BY_NAME].map((name) => `(${name}=*)`).join('')})`;
const SUCCESS = 0;

export interface GroupQuestion {
  /** DNs, as an admin wrote them. */
  readonly groups: readonly string[];
  readonly dialect: DialectName;
  readonly filter: UserFilter;
  readonly timeoutMs: number;
}

/** What a member bears: in Active Directory through groups in groups, elsewhere as the server computes it. */
function memberOf(group: string, dialect: DialectName): string {
  const rule = dialect === 'active-directory' ? `:${IN_CHAIN}:` : '';
  return `(memberOf${rule}=${Filter.escape(group)})`;
}

/**
 * Which groups one account is in: by what the group lists, and by the account's own memberOf where the server has that.
 * @throws {Error} without an answer that can be trusted
 */
export async function membershipOf(
  socket: Socket,
  entry: Entry,
  { groups, dialect, filter, timeoutMs }: GroupQuestion,
): Promise<Membership> {
  const dn = Filter.escape(entry.dn);
  const names = filter.attributes.flatMap((attribute) => textsOf(entry, attribute));
  const lists = [
    ...MEMBERS_BY_DN.map((attribute) => `(${attribute}=${dn})`),
    ...names.map((name) => `(${MEMBERS_BY_NAME}=${Filter.escape(name)})`),
  ];
  const has = async (baseDN: string, which: string): Promise<boolean | undefined> => {
    const options = { baseDN, scope: 'base' as const, attributes: ['1.1'], sizeLimit: 1, timeoutMs };
    const { resultCode, entries } = await search(socket, { ...options, filter: which });
    return resultCode === SUCCESS ? entries.length > 0 : undefined;
  };
  const [isIn, unknown]: [string[], string[]] = [[], []];
  for (const group of groups) {
    const isListed = await has(group, `(|${lists.join('')})`);
    // Of a group that is not there, or not to be read, nothing is known.
    const isMember = isListed === false ? await has(entry.dn, memberOf(group, dialect)) : isListed;
    if (isMember === undefined) unknown.push(group);
    else if (isMember) isIn.push(group);
  }
  return { asked: groups, groups: isIn, unknown };
}

/** Whom a sweep has seen: the usernames of an entry, by its canonical DN. */
export type People = ReadonlyMap<string, readonly string[]>;

export interface AllMembersQuestion extends GroupQuestion {
  readonly baseDN: string;
  readonly people: People;
  /** Groups whose lists were longer than an answer may be; filled here, and asked no more. */
  readonly tooLong: Set<string>;
}

export interface Members {
  /** By folded username, all those of `people`. */
  readonly memberships: ReadonlyMap<string, Membership>;
  readonly unknown: readonly string[];
}

/**
 * The same of everybody.
 * @throws {Error} where the connection breaks; a group that cannot be read is unknown, and costs nobody anything
 */
export async function allMembers(socket: Socket, question: AllMembersQuestion): Promise<Members> {
  const found = new Map<string, string[]>();
  const unknown: string[] = [];
  for (const group of question.groups) {
    const members = await membersOf(socket, group, question);
    if (!members) unknown.push(group);
    else for (const name of members) found.set(name, [...(found.get(name) ?? []), group]);
  }
  const memberships = new Map<string, Membership>();
  for (const name of [...question.people.values()].flat())
    memberships.set(name, { asked: question.groups, groups: found.get(name) ?? NONE, unknown });
  return { memberships, unknown };
}

/** One for all: most people are in the same few. */
const NONE: readonly string[] = [];

/** @returns undefined where the group is not there, or not to be read to its end */
async function membersOf(
  socket: Socket,
  group: string,
  { dialect, filter, baseDN, people, tooLong, timeoutMs }: AllMembersQuestion,
): Promise<ReadonlySet<string> | undefined> {
  if (tooLong.has(group)) return undefined;
  const members = new Set<string>();
  const add = (names: readonly string[]) => {
    for (const name of names) members.add(name);
  };
  const there = { baseDN: group, scope: 'base' as const, attributes: ['1.1'], sizeLimit: 1, timeoutMs };
  const { resultCode } = await search(socket, there);
  if (resultCode !== SUCCESS) return undefined;
  const page = { pageTimeoutMs: timeoutMs };
  const bearers = `(&${filter.everybody}${memberOf(group, dialect)})`;
  try {
    await pagedSearch(socket, { ...page, baseDN, filter: bearers, attributes: ['1.1'] }, (entry) =>
      add(people.get(canonicalDn(entry.dn)) ?? []),
    );
    // There a long list comes in pieces, and memberOf says it all.
    if (dialect === 'active-directory') return members;
    const attributes = [...MEMBERS_BY_DN, MEMBERS_BY_NAME];
    await pagedSearch(socket, { ...page, baseDN: group, filter: ANY_MEMBERS, attributes }, (entry) => {
      if (canonicalDn(entry.dn) !== canonicalDn(group)) return;
      for (const attribute of MEMBERS_BY_DN)
        for (const dn of textsOf(entry, attribute)) add(people.get(canonicalDn(dn)) ?? []);
      add(textsOf(entry, MEMBERS_BY_NAME).map(foldUsername));
    });
    return members;
  } catch (error) {
    if (error instanceof DirectoryError) return undefined;
    // The conversation is over, and the next one must not end in the same way.
    if (error instanceof FaultyAnswer && error.fault === 'TooLong') tooLong.add(group);
    throw error;
  }
}
