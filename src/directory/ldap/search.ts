// Does one search whose answer is short, on a connection that nobody else uses.
import type { Socket } from 'node:net';
import { FilterParser, ProtocolOperation, SearchRequest } from 'ldapts';
import { readEntry } from './entry.ts';
import type { Entry } from './entry.ts';
import { exchange, resultOf } from './exchange.ts';
import { MalformedMessage } from './message.ts';

const PRESENT = '(objectClass=*)';
const MAX_MESSAGE_ID = 2 ** 31 - 1;

export interface SearchOptions {
  readonly baseDN: string;
  readonly scope: 'base' | 'sub';
  /** As text of RFC 4515; everything by default. */
  readonly filter?: string;
  readonly attributes: readonly string[];
  /** How many entries the server may send; it says so where there are more. */
  readonly sizeLimit: number;
  /** What the server is told; the connection's own time limit is its signal. */
  readonly timeoutMs: number;
}

export interface SearchAnswer {
  readonly resultCode: number;
  /** References to other servers are no entries. */
  readonly entries: readonly Entry[];
}

let lastMessageId = 2;

/** A number that no request on any connection has had for long: a late answer to another one is no answer to this. */
export function nextMessageId(): number {
  lastMessageId = lastMessageId === MAX_MESSAGE_ID ? 3 : lastMessageId + 1;
  return lastMessageId;
}

/** @throws {Error} without an answer that can be trusted */
export async function search(socket: Socket, options: SearchOptions): Promise<SearchAnswer> {
  const { baseDN, scope, filter = PRESENT, attributes, sizeLimit, timeoutMs } = options;
  const request = new SearchRequest({
    messageId: nextMessageId(),
    baseDN,
    scope,
    derefAliases: 'never',
    sizeLimit,
    timeLimit: Math.ceil(timeoutMs / 1000),
    filter: FilterParser.parseString(filter),
    attributes: [...attributes],
  });
  const messages = await exchange(socket, request, ProtocolOperation.LDAP_RES_SEARCH, [
    ProtocolOperation.LDAP_RES_SEARCH_ENTRY,
    ProtocolOperation.LDAP_RES_SEARCH_REF,
  ]);
  const done = messages.at(-1);
  if (!done) throw new MalformedMessage();
  return {
    resultCode: resultOf(done.operation).resultCode,
    entries: messages
      .filter(({ operation }) => operation.tag === ProtocolOperation.LDAP_RES_SEARCH_ENTRY)
      .map(({ operation }) => readEntry(operation)),
  };
}
