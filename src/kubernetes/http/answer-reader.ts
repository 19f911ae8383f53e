// Reads one answer of HTTP/1.1 as its bytes come in (RFC 9112). What is not clear is refused, never guessed.
import { MAX_BYTES, tooLong } from '../answer.ts';
import { FIELD_NAME, FIELD_VALUE } from './field-grammar.ts';
import { GrowingBytes } from './growing-bytes.ts';

/** Those fields of a head that anybody here asks for; what came several times stands in one value, with commas. */
type Headers = {
  readonly [name in 'connection' | 'content-length' | 'date' | 'retry-after' | 'transfer-encoding']?: string;
};

export interface WholeAnswer {
  readonly statusCode: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Of everything that is not the body, and of each of its lines. An API server sends less than 1 KiB. */
const MAX_HEAD_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
const BEGINNING = 'HTTP/1.';

/** The size of a chunk, with extensions that say nothing to us (RFC 9112, section 7.1). */
const CHUNK_SIZE = /^([0-9a-f]{1,8})(?:;.*)?$/i;
const LONGEST_CHUNK_SIZE = 8;
/** A status line and fields (RFC 9112, sections 4 and 5): at once, as line by line takes three times as long. */
const HEAD = new RegExp(
  `^HTTP/1\\.([01]) ([1-9]\\d\\d)(?: ${FIELD_VALUE})?(?:\\r\\n${FIELD_NAME}:${FIELD_VALUE})*$`,
);
const ASKED_FOR = /\r\n(connection|content-length|date|retry-after|transfer-encoding):([^\r]*)/gi;
const TRAILER = new RegExp(`^${FIELD_NAME}:${FIELD_VALUE}$`);

interface Head {
  readonly statusCode: number;
  readonly headers: Headers;
  readonly staysOpen: boolean;
  /** Of HTTP/1.0, which has no chunks. */
  readonly isOld: boolean;
}

type State = 'Head' | 'Sized' | 'ChunkSize' | 'Chunk' | 'ChunkEnd' | 'Trailer' | 'UntilEnd' | 'Whole';

export class AnswerReader {
  #state: State = 'Head';
  /** What has come and is not taken yet: part of a line, or more than the answer. */
  #rest: Buffer = NOTHING;
  /** Where the rest lies, if it came in pieces. */
  #pieces: GrowingBytes | undefined;
  /** How much of the rest was searched already. */
  #searched = 0;
  #head: Head | undefined;
  readonly #body = new GrowingBytes();
  /** How much was said beside the body: announcements, head, trailers, what is told of chunks. */
  #aside = 0;
  /** How much of the body, or of its chunk, is still to come. */
  #missing = 0;

  /**
   * @returns whether the answer is whole
   * @throws {TypeError} where it is not HTTP/1.1. @throws {RangeError} where its body is longer than 64 MiB
   */
  push(chunk: Buffer): boolean {
    this.#rest = this.#rest.length === 0 ? chunk : this.#join(chunk);
    while (this.#advance()) continue;
    return this.#state === 'Whole';
  }

  /** The connection has ended. @returns whether that is where the answer ends. */
  end(): boolean {
    if (this.#state === 'UntilEnd') this.#state = 'Whole';
    return this.#state === 'Whole';
  }

  /** Whether anything of an answer has come. */
  get hasBegun(): boolean {
    return this.#state !== 'Head' || this.#rest.length > 0 || this.#aside > 0;
  }

  /** Whether the connection may carry another request: not where more came than was asked for. */
  get staysOpen(): boolean {
    return this.#state === 'Whole' && this.#rest.length === 0 && this.#head?.staysOpen === true;
  }

  answer(): WholeAnswer {
    if (this.#state !== 'Whole' || !this.#head) throw new Error('the answer is not whole');
    const { statusCode, headers } = this.#head;
    return { statusCode, headers, text: this.#body.view().toString('utf8') };
  }

  /** @returns whether to go on: there may be more to take */
  #advance(): boolean {
    switch (this.#state) {
      case 'Head':
        return this.#takeHead();
      case 'Sized':
        return this.#takeBody('Whole');
      case 'ChunkSize':
        return this.#takeChunkSize();
      case 'Chunk':
        return this.#takeBody('ChunkEnd');
      case 'ChunkEnd':
        return this.#takeLine((line) => {
          if (line !== '') throw notHttp();
          this.#state = 'ChunkSize';
        });
      case 'Trailer':
        return this.#takeLine((line) => {
          this.#count(line.length + 2);
          if (line === '') this.#state = 'Whole';
          else if (!TRAILER.test(line)) throw notHttp();
        });
      case 'UntilEnd':
        this.#keep(this.#rest);
        this.#leave(NOTHING);
        return false;
      default:
        return false;
    }
  }

  #takeHead(): boolean {
    const end = this.#find('\r\n\r\n');
    if (end === -1) {
      // Whatever does not even begin like an answer is told at once, not when the time is over.
      const first = this.#rest.toString('latin1', 0, BEGINNING.length);
      if (!BEGINNING.startsWith(first)) throw notHttp();
      return false;
    }
    this.#count(end + 4);
    const head = parseHead(this.#rest.toString('latin1', 0, end));
    this.#leave(this.#rest.subarray(end + 4));
    // 100 and 103 announce the answer; nobody has asked for another protocol.
    if (head.statusCode === 101) throw notHttp();
    if (head.statusCode < 200) return true;
    this.#beginBody(head);
    return true;
  }

  /** RFC 9112, section 6.3. */
  #beginBody(head: Head): void {
    const { statusCode, headers } = head;
    const { 'transfer-encoding': coding, 'content-length': length } = headers;
    this.#head = head;
    if (statusCode === 204 || statusCode === 304) {
      // Whoever announces a body may send one.
      if (coding !== undefined || (length ?? '0') !== '0') this.#head = { ...head, staysOpen: false };
      this.#state = 'Whole';
    } else if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked' || length !== undefined || head.isOld) throw notHttp();
      this.#state = 'ChunkSize';
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw notHttp();
      this.#expect(Number(length), 'Sized');
    } else {
      this.#head = { ...head, staysOpen: false };
      this.#state = 'UntilEnd';
    }
  }

  #takeChunkSize(): boolean {
    return this.#takeLine((line) => {
      const [, digits] = CHUNK_SIZE.exec(line) ?? [];
      if (digits === undefined) throw notHttp();
      if (line.length > LONGEST_CHUNK_SIZE) this.#count(line.length);
      const size = Number.parseInt(digits, 16);
      if (size === 0) this.#state = 'Trailer';
      else this.#expect(size, 'Chunk');
    });
  }

  #expect(bytes: number, state: 'Sized' | 'Chunk'): void {
    if (this.#body.length + bytes > MAX_BYTES) throw tooLong();
    this.#missing = bytes;
    this.#state = state;
  }

  #takeBody(next: State): boolean {
    const part = this.#rest.subarray(0, this.#missing);
    this.#leave(this.#rest.subarray(part.length));
    this.#missing -= part.length;
    if (part.length > 0) this.#keep(part);
    if (this.#missing > 0) return false;
    this.#state = next;
    return true;
  }

  #keep(part: Buffer): void {
    if (this.#body.length + part.length > MAX_BYTES) throw tooLong();
    this.#body.add(part);
  }

  #takeLine(take: (line: string) => void): boolean {
    const end = this.#find('\r\n');
    if (end === -1) return false;
    const line = this.#rest.toString('latin1', 0, end);
    this.#leave(this.#rest.subarray(end + 2));
    take(line);
    return true;
  }

  /** @returns where the rest has it first, or -1 */
  #find(mark: string): number {
    const end = this.#rest.indexOf(mark, this.#searched, 'latin1');
    if (end > MAX_HEAD_BYTES || (end === -1 && this.#rest.length > MAX_HEAD_BYTES)) throw notHttp();
    if (end === -1) this.#searched = Math.max(0, this.#rest.length - mark.length + 1);
    return end;
  }

  #join(chunk: Buffer): Buffer {
    if (!this.#pieces) {
      this.#pieces = new GrowingBytes();
      this.#pieces.add(this.#rest);
    }
    this.#pieces.add(chunk);
    return this.#pieces.view();
  }

  /** What came before it was taken. */
  #leave(rest: Buffer): void {
    this.#rest = rest;
    this.#pieces = undefined;
    this.#searched = 0;
  }

  #count(bytes: number): void {
    this.#aside += bytes;
    if (this.#aside > MAX_HEAD_BYTES) throw notHttp();
  }
}

function parseHead(text: string): Head {
  const [, minor, code] = HEAD.exec(text) ?? [];
  if (code === undefined) throw notHttp();
  const headers: { -readonly [name in keyof Headers]: Headers[name] } = {};
  for (const [, written = '', padded = ''] of text.matchAll(ASKED_FOR)) {
    const name = written.toLowerCase() as keyof Headers;
    const value = withoutSpace(padded);
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  const closes = headers.connection?.toLowerCase().includes('close') === true;
  const isOld = minor === '0';
  return { statusCode: Number(code), headers, staysOpen: !isOld && !closes, isOld };
}

/** trim() would take away more than a space or tab, and with it what makes a length none. */
function withoutSpace(padded: string): string {
  let from = 0;
  let end = padded.length;
  while (from < end && isSpace(padded.charCodeAt(from))) from += 1;
  while (end > from && isSpace(padded.charCodeAt(end - 1))) end -= 1;
  return padded.slice(from, end);
}

const isSpace = (code: number) => code === 0x20 || code === 0x09;

/** It quotes nothing: the answer may hold a token. */
const notHttp = () => new TypeError('the answer is not HTTP/1.1: is that address the API server?');
