// Reads LDAP messages strictly: bytes that are not exactly an answer are a fault, never a yes or a no.
import { BerReader } from 'ldapts';
import { FaultyAnswer } from '../fault.ts';

const SEQUENCE = 0x30;

/** One element of BER: what it is, and its content. */
export interface Element {
  readonly tag: number;
  readonly value: Buffer;
}

export interface LdapMessage {
  readonly id: number;
  /** The operation's tag and content: a BindResponse, a SearchResultEntry. */
  readonly operation: Element;
  readonly controls: readonly Element[];
}

/** The directory sent bytes that are no LDAP. */
export class MalformedMessage extends FaultyAnswer {
  constructor() {
    super('Malformed', 'it sent a malformed LDAP message');
    this.name = 'MalformedMessage';
  }
}

/**
 * How many bytes the message at the start of `bytes` takes, or undefined while its header is not there.
 * @throws {MalformedMessage}
 */
export function messageLength(bytes: Buffer): number | undefined {
  return strictly(() => {
    const reader = new BerReader(bytes);
    const tag = reader.readSequence();
    if (tag === null) return undefined;
    if (tag !== SEQUENCE || reader.length < 0) throw new MalformedMessage();
    return reader.offset + reader.length;
  });
}

/**
 * Reads one whole message (RFC 4511, section 4.1.1).
 * @throws {MalformedMessage}
 */
export function readMessage(bytes: Buffer): LdapMessage {
  const [envelope] = readElements(bytes);
  const [id, operation, controls] = envelope ? readElements(envelope.value) : [];
  if (!id || !operation) throw new MalformedMessage();
  return { id: integerOf(id), operation, controls: controls ? readElements(controls.value) : [] };
}

/**
 * Splits bytes into the elements that they consist of, to the last byte.
 * @throws {MalformedMessage}
 */
export function readElements(bytes: Buffer): Element[] {
  return strictly(() => {
    const reader = new BerReader(bytes);
    const elements: Element[] = [];
    for (let tag = reader.peek(); tag !== null; tag = reader.peek()) {
      const value = reader.readString(tag, true);
      // A length of four bytes with the highest bit set reads as a negative one.
      if (value === null || reader.length < 0) throw new MalformedMessage();
      elements.push({ tag, value });
    }
    return elements;
  });
}

/**
 * The value of an INTEGER or an ENUMERATED of at most four bytes.
 * @throws {MalformedMessage}
 */
export function integerOf({ value }: Element): number {
  if (value.length === 0 || value.length > 4) throw new MalformedMessage();
  return value.readIntBE(0, value.length);
}

function strictly<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new MalformedMessage();
  }
}
