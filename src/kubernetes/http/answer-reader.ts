// Reads one answer of HTTP/1.1 as its bytes come in (RFC 9112). What is not clear is refused, never guessed.
import { MAX_BYTES, tooLong } from '../answer.ts';

export interface WholeAnswer {
  readonly statusCode: number;
  /** By name in lower case; what came several times stands in one value, with commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

/** An API server sends less than 1 KiB. */
const MAX_HEAD_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** The size of a chunk, with extensions that say nothing to us (RFC 9112, section 7.1). */
const CHUNK_SIZE = /^([0-9a-f]{1,8})[\t ]*(?:;.*)?$/i;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: |$)/;
/** RFC 9110, section 5.6.2. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

interface Head {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly staysOpen: boolean;
}

type State = 'Head' | 'Sized' | 'ChunkSize' | 'Chunk' | 'ChunkEnd' | 'Trailer' | 'UntilEnd' | 'Whole';

export class AnswerReader {
  #state: State = 'Head';
  /** What has come and is not taken yet: part of a line, or more than the answer. */
  #rest: Buffer = NOTHING;
  #head: Head | undefined;
  readonly #body: Buffer[] = [];
  #size = 0;
  /** How much of the body, or of its chunk, is still to come. */
  #missing = 0;

  /**
   * @returns whether the answer is whole
   * @throws {TypeError} where it is not HTTP/1.1. @throws {RangeError} where its body is longer than 64 MiB
   */
  push(chunk: Buffer): boolean {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#advance()) continue;
    return this.#state === 'Whole';
  }

  /** The connection has ended. @returns whether that is where the answer ends. */
  end(): boolean {
    if (this.#state === 'UntilEnd') this.#state = 'Whole';
    return this.#state === 'Whole';
  }

  /** Whether the connection may carry another request: not where more came than was asked for. */
  get staysOpen(): boolean {
    return this.#state === 'Whole' && this.#rest.length === 0 && this.#head?.staysOpen === true;
  }

  answer(): WholeAnswer {
    if (this.#state !== 'Whole' || !this.#head) throw new Error('the answer is not whole');
    const { statusCode, headers } = this.#head;
    const [first = NOTHING, ...more] = this.#body;
    const body = more.length === 0 ? first : Buffer.concat(this.#body, this.#size);
    return { statusCode, headers, text: body.toString('utf8') };
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
          if (line === '') this.#state = 'Whole';
        });
      case 'UntilEnd':
        this.#keep(this.#rest);
        this.#rest = NOTHING;
        return false;
      default:
        return false;
    }
  }

  #takeHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end > MAX_HEAD_BYTES || (end === -1 && this.#rest.length > MAX_HEAD_BYTES)) throw notHttp();
    if (end === -1) return false;
    const head = parseHead(this.#rest.toString('latin1', 0, end));
    this.#rest = this.#rest.subarray(end + 4);
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
      this.#state = 'Whole';
    } else if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked' || length !== undefined) throw notHttp();
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
      const size = Number.parseInt(digits, 16);
      if (size === 0) this.#state = 'Trailer';
      else this.#expect(size, 'Chunk');
    });
  }

  #expect(bytes: number, state: 'Sized' | 'Chunk'): void {
    if (this.#size + bytes > MAX_BYTES) throw tooLong();
    this.#missing = bytes;
    this.#state = state;
  }

  #takeBody(next: State): boolean {
    const part = this.#rest.subarray(0, this.#missing);
    this.#rest = this.#rest.subarray(part.length);
    this.#missing -= part.length;
    if (part.length > 0) this.#keep(part);
    if (this.#missing > 0) return false;
    this.#state = next;
    return true;
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > MAX_BYTES) throw tooLong();
    this.#body.push(part);
  }

  #takeLine(take: (line: string) => void): boolean {
    const end = this.#rest.indexOf('\r\n');
    if (end > MAX_HEAD_BYTES || (end === -1 && this.#rest.length > MAX_HEAD_BYTES)) throw notHttp();
    if (end === -1) return false;
    const line = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + 2);
    take(line);
    return true;
  }
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, code] = STATUS_LINE.exec(first) ?? [];
  if (code === undefined) throw notHttp();
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!FIELD_NAME.test(name)) throw notHttp();
    const value = line.slice(colon + 1).trim();
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  const closes = headers['connection']?.toLowerCase().includes('close') === true;
  return { statusCode: Number(code), headers, staysOpen: minor === '1' && !closes };
}

/** It quotes nothing: the answer may hold a token. */
const notHttp = () => new TypeError('the answer is not HTTP/1.1: is that address the API server?');
