// Has a server say that something has changed: by a persistent search, RFC 4533, or Active Directory's notification.
import type { Socket } from 'node:net';
import {
  BerWriter,
  Control,
  EntryChangeNotificationControl,
  FilterParser,
  PersistentSearchControl,
  ProtocolOperation,
  SearchRequest,
} from 'ldapts';
import { isWithin } from '../distinguished-name.ts';
import { readEntry, textsOf } from '../entry.ts';
import type { Entry } from '../entry.ts';
import { answersTo, resultOf } from '../exchange.ts';
import { integerOf, readElements } from '../message.ts';
import type { Element } from '../message.ts';
import { nextMessageId } from '../search.ts';

/** draft-ietf-ldapext-psearch-03; 389 DS and FreeIPA, eDirectory. */
const PERSISTENT_SEARCH = PersistentSearchControl.type;
/** RFC 4533, section 2.2; OpenLDAP with syncprov. */
const SYNC_REQUEST = '1.3.6.1.4.1.4203.1.9.1.1';
/** [MS-ADTS] 3.1.1.3.4.1.9, LDAP_SERVER_NOTIFICATION_OID; Active Directory and Samba. */
const NOTIFICATION = '1.2.840.113556.1.4.528';
/** [MS-ADTS] 3.1.1.3.4.1.14, LDAP_SERVER_SHOW_DELETED_OID: what is deleted is moved away, and hidden. */
const SHOW_DELETED = '1.2.840.113556.1.4.417';
const DELETED_ATTRIBUTE = 'isDeleted';

/** Draft, section 4: add 1, delete 2, modify 4, rename 8. */
const EVERY_CHANGE = 1 + 2 + 4 + 8;
/** The only filter of a notification. */
const EVERYTHING = '(objectClass=*)';
const DELETED = 2;
const REFRESH_AND_PERSIST = 3;
const INTERMEDIATE_RESPONSE = 0x79;
const OCTET_STRING = 0x04;
const ENUMERATED = 0x0a;

/** An entry with its name and its usernames fits many times. */
const MAX_NOTICE_BYTES = 256 * 1024;
/** 2 protocolError, 12 unavailableCriticalExtension, 50 insufficientAccessRights, 53 unwillingToPerform. */
const REFUSALS = new Set([2, 12, 50, 53]);

export type NoticeKind = 'persistent-search' | 'sync' | 'notification';

export interface NoticeSource {
  readonly kind: NoticeKind;
  /** Below which entry it says so; a notification tells of all that the server names by that suffix. */
  readonly baseDN: string;
}

/** The attributes of the root of a directory that `noticesOf` reads. */
export const NOTICE_ATTRIBUTES: readonly string[] = ['supportedControl', 'namingContexts'];

/**
 * How the server, by its root, can say that something has changed below `baseDN`; undefined where it cannot. A
 * notification of a whole subtree is to be had of a naming context only ([MS-ADTS] 3.1.1.3.4.1.9).
 */
export function noticesOf(root: Entry, baseDN: string): NoticeSource | undefined {
  const controls = textsOf(root, 'supportedControl');
  if (controls.includes(PERSISTENT_SEARCH)) return { kind: 'persistent-search', baseDN };
  if (controls.includes(SYNC_REQUEST)) return { kind: 'sync', baseDN };
  if (!controls.includes(NOTIFICATION)) return undefined;
  const [nearest] = textsOf(root, 'namingContexts')
    .filter((context) => context !== '' && isWithin(baseDN, context))
    .toSorted((one, other) => (isWithin(one, other) ? -1 : 1));
  return nearest === undefined ? undefined : { kind: 'notification', baseDN: nearest };
}

/** The server does not do for us, or for this part of it, what its root says it can. */
export class NoticesRefused extends Error {
  constructor(resultCode: number) {
    super(`it does not say what changes (LDAP result ${resultCode})`);
    this.name = 'NoticesRefused';
  }
}

export interface NoticesWanted extends NoticeSource {
  /** Of RFC 4515; a notification takes none. With `sync` the server first sends everything that it finds: let it be little. */
  readonly filter: string;
  readonly attributes: readonly string[];
}

/**
 * Calls `each` whenever an entry has changed, for as long as the server goes on.
 * @throws {NoticesRefused}
 * @throws {Error} when the connection ends
 */
export async function hearNotices(
  socket: Socket,
  { kind, baseDN, filter, attributes }: NoticesWanted,
  each: (entry: Entry, isDeleted: boolean) => void,
): Promise<never> {
  const request = new SearchRequest({
    messageId: nextMessageId(),
    baseDN,
    scope: 'sub',
    derefAliases: 'never',
    sizeLimit: 0,
    timeLimit: 0,
    filter: FilterParser.parseString(kind === 'notification' ? EVERYTHING : filter),
    attributes: kind === 'notification' ? [...attributes, DELETED_ATTRIBUTE] : [...attributes],
    controls: controlsOf(kind),
  });
  const { LDAP_RES_SEARCH: last, LDAP_RES_SEARCH_ENTRY, LDAP_RES_SEARCH_REF } = ProtocolOperation;
  const shape = {
    last,
    before: [LDAP_RES_SEARCH_ENTRY, LDAP_RES_SEARCH_REF, INTERMEDIATE_RESPONSE],
    maxBytes: Number.POSITIVE_INFINITY,
    maxMessageBytes: MAX_NOTICE_BYTES,
  };
  for await (const { operation, controls } of answersTo(socket, request, shape)) {
    if (operation.tag === LDAP_RES_SEARCH_ENTRY) {
      const entry = readEntry(operation);
      each(entry, saysDeleted(controls) || textsOf(entry, DELETED_ATTRIBUTE)[0] === 'TRUE');
    }
    if (operation.tag !== last) continue;
    const { resultCode } = resultOf(operation);
    if (REFUSALS.has(resultCode)) throw new NoticesRefused(resultCode);
  }
  throw new Error('it has ended a search that should not end');
}

function controlsOf(kind: NoticeKind): Control[] {
  switch (kind) {
    case 'sync':
      return [new SyncRequestControl()];
    case 'notification':
      return [
        new Control(NOTIFICATION, { critical: true }),
        // Who is deleted is told where the bind account may see what is.
        new Control(SHOW_DELETED, { critical: false }),
      ];
    case 'persistent-search': {
      const value = { changeTypes: EVERY_CHANGE, changesOnly: true, returnECs: true };
      return [new PersistentSearchControl({ critical: true, value })];
    }
    default:
      return kind satisfies never;
  }
}

class SyncRequestControl extends Control {
  constructor() {
    super(SYNC_REQUEST, { critical: true });
  }

  override writeControl(writer: BerWriter): void {
    const value = new BerWriter();
    value.startSequence();
    value.writeEnumeration(REFRESH_AND_PERSIST);
    value.endSequence();
    writer.writeBuffer(value.buffer, OCTET_STRING);
  }
}

/** By the control of a persistent search; synchronization has another, and no username for what is gone. */
function saysDeleted(controls: readonly Element[]): boolean {
  for (const control of controls) {
    const [type, ...rest] = readElements(control.value);
    if (type?.value.toString('latin1') !== EntryChangeNotificationControl.type) continue;
    const content = rest.find(({ tag }) => tag === OCTET_STRING);
    const [sequence] = content ? readElements(content.value) : [];
    const [change] = sequence ? readElements(sequence.value) : [];
    return change?.tag === ENUMERATED && integerOf(change) === DELETED;
  }
  return false;
}
