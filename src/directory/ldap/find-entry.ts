// Finds the one entry that a username stands for.
import type { Socket } from 'node:net';
import { DirectoryError } from '../directory.ts';
import { textsOf } from './entry.ts';
import type { Entry } from './entry.ts';
import { MalformedMessage } from './message.ts';
import { search } from './search.ts';
import type { UserFilter } from './user-filter.ts';

const SUCCESS = 0;
const SIZE_LIMIT_EXCEEDED = 4;
const REFERRAL = 10;
const NO_SUCH_OBJECT = 32;
// 18 inappropriateMatching, 34 invalidDNSyntax, 50 insufficientAccessRights, 53 unwillingToPerform
const ABOUT_THE_SETTINGS = new Set([18, 34, 50, 53]);
const ENOUGH_TO_SEE_TWO = 2;

export interface Search {
  readonly baseDN: string;
  readonly filter: UserFilter;
  /** Beside those of the filter. */
  readonly attributes: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Searches below `baseDN` as whoever is bound to this connection. References to other servers are no entries.
 * @returns undefined where no entry bears the username
 * @throws {DirectoryError} `DirectoryMisconfigured` for two entries, or a search that the server does not do;
 *   `DirectoryUnreachable` where it could not
 */
export async function findEntry(
  socket: Socket,
  { baseDN, filter, attributes, timeoutMs }: Search,
  username: string,
): Promise<Entry | undefined> {
  const { resultCode, entries } = await search(socket, {
    baseDN,
    scope: 'sub',
    filter: filter.for(username),
    attributes: [...new Set([...filter.attributes, ...attributes])],
    sizeLimit: ENOUGH_TO_SEE_TWO,
    timeoutMs,
  });
  return theOnlyOne(resultCode, entries, filter, username);
}

function theOnlyOne(
  resultCode: number,
  entries: readonly Entry[],
  filter: UserFilter,
  username: string,
): Entry | undefined {
  if (entries.length > 1 && (resultCode === SUCCESS || resultCode === SIZE_LIMIT_EXCEEDED)) {
    throw new DirectoryError(
      'DirectoryMisconfigured',
      'Several entries match one username: narrow the settings userFilter or baseDN until each matches one.',
      { fault: 'EntryUnusable' },
    );
  }
  if (resultCode !== SUCCESS) throw searchFailed(resultCode);
  const [entry] = entries;
  if (!entry) return undefined;
  // What is no DN could be bound to as nobody, which succeeds.
  if (!entry.dn.includes('=')) throw new MalformedMessage();
  if (filter.attributes.every((attribute) => textsOf(entry, attribute).length === 0)) {
    throw new DirectoryError(
      'DirectoryMisconfigured',
      `bindDN cannot read ${filter.attributes.join(', ')} of the entry that userFilter finds: allow it, or use another attribute.`,
      { fault: 'EntryUnusable' },
    );
  }
  return filter.matches(username, (attribute) => textsOf(entry, attribute)) ? entry : undefined;
}

/** @param resultCode of a search that did not succeed */
export function searchFailed(resultCode: number): DirectoryError {
  const result = `(LDAP result ${resultCode})`;
  if (resultCode === REFERRAL)
    return new DirectoryError(
      'DirectoryMisconfigured',
      `The directory sends on to another server for baseDN ${result}, and Latchkey sends its password to none but those of url: name the other one there.`,
      { fault: 'Referral' },
    );
  if (resultCode === NO_SUCH_OBJECT)
    return new DirectoryError(
      'DirectoryMisconfigured',
      `The directory has nothing at baseDN ${result}, or bindDN may not see it: check baseDN, and what bindDN may read.`,
      { fault: 'NoSuchBase' },
    );
  if (ABOUT_THE_SETTINGS.has(resultCode))
    return new DirectoryError(
      'DirectoryMisconfigured',
      `The directory does not do the search ${result}: check baseDN, userFilter, and what bindDN may read.`,
      { fault: 'SearchRefused' },
    );
  return new DirectoryError(
    'DirectoryUnreachable',
    `The directory could not do the search ${result}: look into its log.`,
    { fault: 'ServerFailed' },
  );
}
