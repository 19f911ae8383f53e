// Does a search of any length, page by page (RFC 2696), and tells a whole answer from half of one.
import type { Socket } from 'node:net';
import { FilterParser, PagedResultsControl, ProtocolOperation, SearchRequest } from 'ldapts';
import { DirectoryError } from '../directory.ts';
import { readEntry } from './entry.ts';
import type { Entry } from './entry.ts';
import { answersTo, resultOf } from './exchange.ts';
import { searchFailed } from './find-entry.ts';
import { MalformedMessage, readElements } from './message.ts';
import type { Element } from './message.ts';
import { nextMessageId } from './search.ts';
import { within } from './within.ts';

const PAGE_ENTRIES = 500;
// Entries come with a handful of attributes each: a page fits fifty times.
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
const MAX_ENTRIES = 2_000_000;
// Active Directory sends an empty page with a cookie now and then; a server that sends nothing else goes nowhere.
const MAX_EMPTY_PAGES = 100;
const OCTET_STRING = 0x04;

const SUCCESS = 0;
/** 3 timeLimitExceeded, 4 sizeLimitExceeded, 11 adminLimitExceeded. */
const LIMITS = new Set([3, 4, 11]);

export interface PagedSearch {
  readonly baseDN: string;
  readonly filter: string;
  readonly attributes: readonly string[];
  /** For each page; the server is told, and `socket` is destroyed when it takes longer. */
  readonly pageTimeoutMs: number;
  /** More entries than that are a fault; by default two million. */
  readonly maxEntries?: number;
  /** Told of every request. */
  readonly onRequest?: () => void;
}

export interface PagedResult {
  readonly entries: number;
  /** References to other servers: what lies behind them was not seen. */
  readonly references: number;
}

/**
 * Calls `each` with every entry, and returns once the server has said that there are no more. An empty page that
 * carries a cookie goes on.
 * @throws {DirectoryError} `DirectoryMisconfigured` or `DirectoryUnreachable` where the server ended the search before
 *   its end: nothing may be concluded from an entry that has not come
 * @throws {Error} where the connection breaks
 */
export async function pagedSearch(
  socket: Socket,
  search: PagedSearch,
  each: (entry: Entry) => void,
): Promise<PagedResult> {
  const { maxEntries = MAX_ENTRIES } = search;
  let entries = 0;
  let references = 0;
  let emptyPages = 0;
  let firstOfLastPage: string | undefined;
  let cookie: Buffer | undefined;
  do {
    let firstOfPage: string | undefined;
    const page = await onePage(socket, search, cookie, (entry) => {
      entries += 1;
      if (entries > maxEntries) throw tooMany(maxEntries);
      // The cookie tells nothing: 389 DS sends the same one with every page.
      if (firstOfPage === undefined && entry.dn === firstOfLastPage) throw endless();
      firstOfPage ??= entry.dn;
      each(entry);
    });
    emptyPages = firstOfPage === undefined ? emptyPages + 1 : 0;
    if (emptyPages > MAX_EMPTY_PAGES) throw endless();
    firstOfLastPage = firstOfPage ?? firstOfLastPage;
    references += page.references;
    cookie = page.cookie;
  } while (cookie.length > 0);
  return { entries, references };
}

async function onePage(
  socket: Socket,
  { baseDN, filter, attributes, pageTimeoutMs, onRequest }: PagedSearch,
  cookie: Buffer | undefined,
  each: (entry: Entry) => void,
): Promise<{ cookie: Buffer; references: number }> {
  const request = new SearchRequest({
    messageId: nextMessageId(),
    baseDN,
    scope: 'sub',
    derefAliases: 'never',
    sizeLimit: 0,
    timeLimit: Math.ceil(pageTimeoutMs / 1000),
    filter: FilterParser.parseString(filter),
    attributes: [...attributes],
    controls: [
      new PagedResultsControl({ value: { size: PAGE_ENTRIES, ...(cookie !== undefined && { cookie }) } }),
    ],
  });
  const { LDAP_RES_SEARCH: last, LDAP_RES_SEARCH_ENTRY, LDAP_RES_SEARCH_REF } = ProtocolOperation;
  const shape = { last, before: [LDAP_RES_SEARCH_ENTRY, LDAP_RES_SEARCH_REF], maxBytes: MAX_PAGE_BYTES };
  let references = 0;
  onRequest?.();
  return within(socket, pageTimeoutMs, async () => {
    for await (const { operation, controls } of answersTo(socket, request, shape)) {
      if (operation.tag === LDAP_RES_SEARCH_ENTRY) each(readEntry(operation));
      else if (operation.tag === LDAP_RES_SEARCH_REF) references += 1;
      else {
        const { resultCode } = resultOf(operation);
        if (LIMITS.has(resultCode)) throw limited(resultCode);
        if (resultCode !== SUCCESS) throw searchFailed(resultCode);
        return { cookie: cookieIn(controls), references };
      }
    }
    throw new MalformedMessage();
  });
}

/** Empty at the end, and where the server does not page: then one page had everything. */
function cookieIn(controls: readonly Element[]): Buffer {
  for (const control of controls) {
    const [type, ...rest] = readElements(control.value);
    if (type?.value.toString('latin1') !== PagedResultsControl.type) continue;
    const content = rest.find(({ tag }) => tag === OCTET_STRING);
    const [sequence] = content ? readElements(content.value) : [];
    const [, cookie] = sequence ? readElements(sequence.value) : [];
    if (!cookie) throw new MalformedMessage();
    return cookie.value;
  }
  return Buffer.alloc(0);
}

function limited(resultCode: number): DirectoryError {
  return new DirectoryError(
    'DirectoryMisconfigured',
    `The directory ends the search for all users at a limit (LDAP result ${resultCode}): let bindDN read without limits of size and time (OpenLDAP: limits ... size.prtotal=unlimited).`,
    { fault: 'LimitExceeded' },
  );
}

function tooMany(maxEntries: number): DirectoryError {
  return new DirectoryError(
    'DirectoryMisconfigured',
    `The directory sends more than ${maxEntries} entries where no more can be meant: narrow userFilter or baseDN.`,
    { fault: 'TooLong' },
  );
}

function endless(): DirectoryError {
  return new DirectoryError(
    'DirectoryUnreachable',
    'The directory goes on sending pages without coming to an end: look into its log, or ask another replica of it.',
    { fault: 'EndlessPaging' },
  );
}
