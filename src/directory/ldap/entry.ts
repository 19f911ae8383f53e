// An entry of a directory, and the account that Latchkey reads out of it.
import { DirectoryError } from '../directory.ts';
import type { DirectoryAccount } from '../directory.ts';
import { readElements } from './message.ts';
import type { Element } from './message.ts';

/** The attributes that hold an entry's unchanging id: OpenLDAP and most; Active Directory; 389 DS; eDirectory. */
export const DEFAULT_ID_ATTRIBUTES = ['entryUUID', 'objectGUID', 'nsUniqueId', 'GUID'] as const;
const EMAIL_ATTRIBUTES = ['mail'];
const NAME_ATTRIBUTES = ['displayName', 'cn'];
export const ACCOUNT_ATTRIBUTES: readonly string[] = [...EMAIL_ATTRIBUTES, ...NAME_ATTRIBUTES];

// RFC 5321, section 4.5.3.1.3, allows a path of 256 octets, brackets included.
const MAX_EMAIL_LENGTH = 254;
const MAX_NAME_LENGTH = 256;
const MAX_ID_LENGTH = 128;
const GUID_BYTES = 16;

export interface Entry {
  readonly dn: string;
  /** By attribute name in lower case. */
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
}

/**
 * Reads a SearchResultEntry (RFC 4511, section 4.5.2).
 * @throws {MalformedMessage}
 */
export function readEntry(operation: Element): Entry {
  const [name, list] = readElements(operation.value);
  const attributes = new Map<string, readonly Buffer[]>();
  for (const attribute of list ? readElements(list.value) : []) {
    const [type, values] = readElements(attribute.value);
    if (!type || !values) continue;
    const key = type.value.toString('utf8').toLowerCase();
    attributes.set(
      key,
      readElements(values.value).map(({ value }) => value),
    );
  }
  return { dn: name?.value.toString('utf8') ?? '', attributes };
}

/** The values that are readable text: UTF-8 without control characters. */
export function textsOf(entry: Entry, attribute: string): string[] {
  return (entry.attributes.get(attribute.toLowerCase()) ?? []).flatMap((value) => readableText(value) ?? []);
}

/**
 * What an entry says of its owner; values that are too long or no text are left out.
 * @param idAttribute where the setting names one, it must be there
 * @throws {DirectoryError} `DirectoryMisconfigured` where it is not
 */
export function accountOf(entry: Entry, idAttribute?: string): DirectoryAccount {
  const id = idOf(entry, idAttribute);
  if (id === undefined && idAttribute !== undefined) {
    throw new DirectoryError(
      'DirectoryMisconfigured',
      `An entry has no readable ${idAttribute}: correct the setting idAttribute, or let bindDN read it.`,
      { fault: 'EntryUnusable' },
    );
  }
  const email = firstText(entry, EMAIL_ATTRIBUTES, MAX_EMAIL_LENGTH);
  const displayName = firstText(entry, NAME_ATTRIBUTES, MAX_NAME_LENGTH);
  return {
    ...(id !== undefined && { id }),
    ...(email !== undefined && { email }),
    ...(displayName !== undefined && { displayName }),
  };
}

/** What an entry keeps when it is renamed; undefined where it is not there or not readable. */
export function idOf(entry: Entry, idAttribute?: string): string | undefined {
  for (const attribute of idAttribute === undefined ? DEFAULT_ID_ATTRIBUTES : [idAttribute]) {
    const id = idIn(entry, attribute);
    if (id !== undefined) return id;
  }
  return undefined;
}

function firstText(entry: Entry, attributes: readonly string[], maxLength: number): string | undefined {
  return attributes
    .flatMap((attribute) => textsOf(entry, attribute))
    .find((text) => text !== '' && text.length <= maxLength);
}

// Active Directory prints the first three fields of an objectGUID with their bytes reversed ([MS-DTYP], section
// 2.3.4.2); by its bytes alone a GUID may pass for text.
function idIn(entry: Entry, attribute: string): string | undefined {
  const name = attribute.toLowerCase();
  const [value, ...more] = entry.attributes.get(name) ?? [];
  // Which of several comes first may change from one answer to the next, and whoever has another id is replaced.
  if (value === undefined || more.length > 0) return undefined;
  if (name === 'objectguid' || name === 'guid') {
    return value.length === GUID_BYTES ? guidText(value) : undefined;
  }
  const text = readableText(value);
  return text === undefined || text === '' || text.length > MAX_ID_LENGTH ? undefined : text;
}

function guidText(bytes: Buffer): string {
  const fields = [
    hex(bytes.readUInt32LE(0), 4),
    hex(bytes.readUInt16LE(4), 2),
    hex(bytes.readUInt16LE(6), 2),
    bytes.toString('hex', 8, 10),
    bytes.toString('hex', 10),
  ];
  return fields.join('-');
}

function hex(value: number, byteCount: number): string {
  return value.toString(16).padStart(2 * byteCount, '0');
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

function readableText(value: Buffer): string | undefined {
  try {
    const text = UTF_8.decode(value);
    return /\p{Cc}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
