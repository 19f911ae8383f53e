// Answers as they may come, in whatever pieces, and what must not be taken for one (RFC 9112).
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { request } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AnswerReader } from '../../../src/kubernetes/http/answer-reader.ts';

interface Read {
  readonly statusCode: number;
  readonly headers: Record<string, string | undefined>;
  readonly text: string;
  readonly staysOpen: boolean;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const utf8 = (text: string) => Buffer.from(text, 'utf8');

/** @returns undefined where the answer is not whole */
function read(pieces: Iterable<Buffer>, ends = false): Read | undefined {
  const reader = new AnswerReader();
  let whole = false;
  for (const piece of pieces) whole = reader.push(piece);
  if (ends) whole = reader.end();
  if (!whole) return undefined;
  const { statusCode, headers, text } = reader.answer();
  return { statusCode, headers: { ...headers }, text, staysOpen: reader.staysOpen };
}

function* singly(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

function splitAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

function failure(bytes: Buffer, pieces: Iterable<Buffer> = [bytes]): Error {
  try {
    const answer = read(pieces, true);
    throw new Error(`it was taken: ${JSON.stringify(answer)}`);
  } catch (error) {
    return error as Error;
  }
}

const VALID: readonly (readonly [string, Buffer, Partial<Read>])[] = [
  [
    'a body with a length',
    latin1('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
    { statusCode: 200, headers: { 'content-length': '2' }, text: '{}' },
  ],
  ['a body of no bytes', latin1('HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n'), { text: '' }],
  ['a status without a phrase', latin1('HTTP/1.1 409\r\ncontent-length: 0\r\n\r\n'), { statusCode: 409 }],
  ['an empty phrase', latin1('HTTP/1.1 599 \r\ncontent-length: 0\r\n\r\n'), { statusCode: 599 }],
  [
    'letters of more than one byte',
    Buffer.concat([latin1('HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n'), utf8('"Ада 🗝 Łódź"')]),
    { text: '"Ада 🗝 Łódź"' },
  ],
  [
    'names in odd case, empty values, spaces around',
    latin1('HTTP/1.1 200 OK\r\nCONTENT-lengTH:\t 1 \t\r\nX-Empty:\r\nRetry-After:   \r\ndate:a  b\r\n\r\nx'),
    { headers: { 'content-length': '1', 'retry-after': '', date: 'a  b' }, text: 'x' },
  ],
  [
    'a header that comes several times',
    latin1('HTTP/1.1 200 OK\r\nDate: Thu, "a"\r\ndate: "b"\r\ncontent-length: 0\r\n\r\n'),
    { headers: { date: 'Thu, "a", "b"', 'content-length': '0' } },
  ],
  [
    'names that objects have',
    latin1('HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\ncontent-length: 0\r\n\r\n'),
    { headers: { 'content-length': '0' } },
  ],
  [
    'chunks',
    latin1(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\n{"a\r\n00A\r\n":"0123456\r\n2\r\n"}\r\n0\r\n\r\n',
    ),
    { text: '{"a":"0123456"}' },
  ],
  [
    'chunks with extensions and trailers',
    latin1(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a="b;\\"c";d\r\n{}\r\n1;e\r\n \r\n0;end\r\nX-Sum: 1\r\nX-Empty:\r\n\r\n',
    ),
    { text: '{} ', headers: { 'transfer-encoding': 'chunked' } },
  ],
  ['no chunk', latin1('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'), { text: '' }],
  [
    'announcements before it',
    latin1(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx',
    ),
    { statusCode: 200, headers: { 'content-length': '1' }, text: 'x' },
  ],
  ['no content', latin1('HTTP/1.1 204 No Content\r\n\r\n'), { statusCode: 204, text: '' }],
  ['not modified', latin1('HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n'), { statusCode: 304, text: '' }],
  [
    'a phrase and a header beyond ASCII',
    latin1('HTTP/1.1 200 Schön\r\ndate: Zo\u00EB\r\ncontent-length: 0\r\n\r\n'),
    { headers: { date: 'Zo\u00EB', 'content-length': '0' } },
  ],
];

const ENDS: readonly (readonly [string, Buffer, Partial<Read>])[] = [
  ['a body until the end', latin1('HTTP/1.1 200 OK\r\n\r\n{"a":1}'), { text: '{"a":1}' }],
  [
    'nothing until the end',
    latin1('HTTP/1.1 502 Bad Gateway\r\nx: y\r\n\r\n'),
    { statusCode: 502, text: '' },
  ],
  ['HTTP/1.0', latin1('HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}'), { text: '{}' }],
  [
    'HTTP/1.0 that says it would stay',
    latin1('HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}'),
    { text: '{}' },
  ],
  [
    'one that closes',
    latin1('HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\ncontent-length: 2\r\n\r\n{}'),
    { text: '{}' },
  ],
  [
    'no content, and still a length',
    latin1('HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n'),
    { statusCode: 204, text: '' },
  ],
  [
    'not modified, and still chunks',
    latin1('HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n'),
    { statusCode: 304, text: '' },
  ],
];

describe.each([
  ['leaves the connection to others', VALID, true],
  ['costs its connection', ENDS, false],
] as const)('what %s', (_what, answers, staysOpen) => {
  test.each(answers)('%s is the same answer in whatever pieces it comes', (_name, bytes, expected) => {
    const atOnce = read([bytes], !staysOpen);
    expect(atOnce).toMatchObject({ ...expected, staysOpen });
    expect(read(singly(bytes), !staysOpen)).toEqual(atOnce);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
        expect(read(splitAt(bytes, cuts), !staysOpen)).toEqual(atOnce);
      }),
    );
  });

  test.each(answers)('%s is what Node reads', async (_name, bytes) => {
    expect(read([bytes], !staysOpen)).toMatchObject(await readByNode(bytes));
  });
});

test.each(VALID)(
  '%s is not whole before its last byte, and not when the connection ends there',
  (_name, bytes) => {
    for (let length = 0; length < bytes.length; length++)
      expect(read([bytes.subarray(0, length)], true)).toBeUndefined();
  },
);

test.each(VALID)('%s costs its connection where anything comes behind it', (_name, bytes) => {
  const more = Buffer.concat([bytes, latin1('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')]);
  expect(read([more])).toEqual({ ...read([bytes]), staysOpen: false });
});

test('it has begun with the first byte, also of an announcement', () => {
  const reader = new AnswerReader();
  expect(reader.hasBegun).toBe(false);
  reader.push(latin1('H'));
  expect(reader.hasBegun).toBe(true);
  const announced = new AnswerReader();
  announced.push(latin1('HTTP/1.1 100 Continue\r\n\r\n'));
  expect(announced.hasBegun).toBe(true);
});

const SECRET = 'hunter2';
const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

test.each([
  ['a length and a coding', `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['another coding', `${OK}transfer-encoding: gzip\r\n\r\n`],
  ['another coding and chunks', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['chunks twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['an empty coding', `${OK}transfer-encoding:\r\n\r\n`],
  ['a coding with a vertical tab', `${OK}transfer-encoding: \u000Bchunked\r\n\r\n0\r\n\r\n`],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['lengths that differ', `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\n{}x`],
  ['lengths in one value', `${OK}content-length: 2, 2\r\n\r\n{}`],
  ['a negative length', `${OK}content-length: -1\r\n\r\n`],
  ['a length with a sign', `${OK}content-length: +2\r\n\r\n{}`],
  ['a length in hex', `${OK}content-length: 0x2\r\n\r\n{}`],
  ['a length with a point', `${OK}content-length: 2.0\r\n\r\n{}`],
  ['a length with another space', `${OK}content-length: \u00A02\r\n\r\n{}`],
  ['an empty length', `${OK}content-length:\r\n\r\n`],
  ['a length beyond all numbers', `${OK}content-length: ${'9'.repeat(30)}\r\n\r\n`],
  ['a negative chunk', `${CHUNKED}-1\r\n\r\n`],
  ['a chunk with a sign', `${CHUNKED}+1\r\nx\r\n0\r\n\r\n`],
  ['a chunk with 0x', `${CHUNKED}0x1\r\nx\r\n0\r\n\r\n`],
  ['a chunk of no size', `${CHUNKED}\r\n\r\n`],
  ['a chunk of nothing but an extension', `${CHUNKED};a\r\n\r\n`],
  ['a size with a space before', `${CHUNKED} 1\r\nx\r\n0\r\n\r\n`],
  ['a size with a space behind', `${CHUNKED}1 \r\nx\r\n0\r\n\r\n`],
  ['a size of too many digits', `${CHUNKED}000000001\r\nx\r\n0\r\n\r\n`],
  ['a size that a line feed ends', `${CHUNKED}1\nx\r\n0\r\n\r\n`],
  ['an extension with a line feed', `${CHUNKED}1;a\nb\r\nx\r\n0\r\n\r\n`],
  ['a chunk that is longer than it says', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`],
  ['a chunk that a line feed ends', `${CHUNKED}1\r\nx\n0\r\n\r\n`],
  ['a trailer that is none', `${CHUNKED}0\r\nno trailer\r\n\r\n`],
  ['a trailer with a line feed', `${CHUNKED}0\r\na: b\nc: d\r\n\r\n`],
  ['lines that line feeds end', 'HTTP/1.1 200 OK\ncontent-length: 2\n\n{}\r\n\r\n'],
  ['a space before an extension', `${CHUNKED}1 ;a\r\nx\r\n0\r\n\r\n`],
  ['a header that a line feed ends', `${OK}a: b\ncontent-length: 2\r\n\r\n{}`],
  ['a status line that a line feed ends', 'HTTP/1.1 200 OK\ncontent-length: 2\r\n\r\n{}'],
  ['a carriage return alone', `${OK}a: b\rc: d\r\ncontent-length: 2\r\n\r\n{}`],
  ['a header over two lines', `${OK}a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}`],
  ['a first header that goes on', `${OK} a: b\r\ncontent-length: 2\r\n\r\n{}`],
  ['a space before the colon', `${OK}content-length : 2\r\n\r\n{}`],
  ['a name with a space', `${OK}content length: 2\r\n\r\n{}`],
  ['a name beyond ASCII', `${OK}\u00EB: 2\r\n\r\n{}`],
  ['no name', `${OK}: 2\r\n\r\n{}`],
  ['no colon', `${OK}content-length\r\n\r\n{}`],
  ['a NUL in a value', `${OK}a: b\0\r\ncontent-length: 2\r\n\r\n{}`],
  ['a NUL in the status line', 'HTTP/1.1 200 O\0K\r\ncontent-length: 2\r\n\r\n{}'],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: a\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\n{}'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\n{}'],
  ['a status below all', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['no status', 'HTTP/1.1 OK\r\ncontent-length: 2\r\n\r\n{}'],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\ncontent-length: 2\r\n\r\n{}'],
  ['HTTP/2', 'HTTP/2 200\r\ncontent-length: 2\r\n\r\n{}'],
  ['HTTP/0.9', 'HTTP/0.9 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
  ['HTTP/1.10', 'HTTP/1.10 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
  ['small letters', 'http/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
  ['an empty line first', `\r\n${OK}content-length: 2\r\n\r\n{}`],
  ['the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['the settings of HTTP/2', '\0\0\u0006\u0004\0\0\0\0\0\0\u0005\0\0@\0'],
  ['an alert of TLS', '\u0015\u0003\u0003\0\u0002\u0002P'],
  ['the greeting of SSH', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['an answer without a head', '{"kind":"Status"}'],
])('%s is refused in whatever pieces it comes, and nothing of it is quoted', (_name, text) => {
  const bytes = latin1(text.replace('OK\r\n', `OK\r\nx-${SECRET}: ${SECRET}\r\n`));
  for (const pieces of [[bytes], singly(bytes)]) {
    const error = failure(bytes, pieces);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('the answer is not HTTP/1.1: is that address the API server?');
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(SECRET);
  }
});

test.each([
  ['a length', `${OK}content-length: ${64 * 1024 * 1024 + 1}\r\n\r\n`],
  ['a chunk', `${CHUNKED}4000001\r\n`],
  ['a chunk on top of another', `${CHUNKED}1\r\nx\r\n4000000\r\n`],
  ['a chunk beyond all', `${CHUNKED}ffffffff\r\n`],
])('%s above 64 MiB is refused before it comes', (_name, text) => {
  expect(failure(latin1(text))).toBeInstanceOf(RangeError);
});

/** @returns what came of it, and how much was taken */
function flood(head: string, again: Buffer, mostBytes: number): { error: unknown; taken: number } {
  const reader = new AnswerReader();
  reader.push(latin1(head));
  let taken = 0;
  try {
    for (; taken < mostBytes; taken += again.length) reader.push(again);
  } catch (error) {
    return { error, taken };
  }
  return { error: undefined, taken };
}

test.each([
  ['a status line', 'HTTP/1.1 200 ', 'x'],
  ['headers', OK, 'a: b\r\n'],
  ['one header', `${OK}a: `, 'b'],
  ['announcements', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['the size of a chunk', CHUNKED, '0'],
  ['an extension', `${CHUNKED}1;`, 'x'],
  ['extensions', CHUNKED, `1;${'x'.repeat(1_000)}\r\nx\r\n`],
  ['a trailer', `${CHUNKED}0\r\na: `, 'x'],
  ['trailers', `${CHUNKED}0\r\n`, 'a: b\r\n'],
])('%s without an end is given up after 64 KiB or so', (_name, head, again) => {
  const { error, taken } = flood(head, latin1(again), 1024 * 1024);
  expect(error).toBeInstanceOf(TypeError);
  expect(taken).toBeLessThan(68 * 1024);
});

describe('what comes in small pieces takes time and memory by its length, not by the square', () => {
  /** Of the processor: others may have it in between. */
  const busyMs = (since: NodeJS.CpuUsage) => {
    const { user, system } = process.cpuUsage(since);
    return (user + system) / 1_000;
  };
  const held = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;

  test.each<[string, string, Buffer, number]>([
    ['a body with a length', `${OK}content-length: 1000000\r\n\r\n`, latin1('x'), 1_000_000],
    ['a body until the end', `${OK}\r\n`, latin1('x'), 1_000_000],
    ['chunks of one byte', CHUNKED, latin1('1\r\nx\r\n'), 400_000],
  ])('%s', (_name, head, again, times) => {
    const reader = new AnswerReader();
    reader.push(latin1(head));
    const before = held();
    const began = process.cpuUsage();
    for (let time = 0; time < times; time++) reader.push(again);
    expect(busyMs(began)).toBeLessThan(5_000);
    // An object for each byte would hold more than 100 MB.
    expect(held() - before).toBeLessThan(60_000_000);
  });

  test('chunks of one byte, very many of them in one piece', () => {
    const began = process.cpuUsage();
    const answer = read([latin1(`${CHUNKED}${'1\r\nx\r\n'.repeat(300_000)}0\r\n\r\n`)]);
    expect(answer?.text.length).toBe(300_000);
    expect(busyMs(began)).toBeLessThan(5_000);
  });

  test('a head of 60 KiB in single bytes', () => {
    const bytes = latin1(`${OK}${'a: b\r\n'.repeat(10_000)}content-length: 0\r\n\r\n`);
    const began = process.cpuUsage();
    expect(read(singly(bytes))?.statusCode).toBe(200);
    expect(busyMs(began)).toBeLessThan(2_000);
  });
});

test('whatever bytes come, they are an answer, the beginning of one, or refused', () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom(
        'HTTP/1.1 200 OK',
        '\r\n',
        '\n',
        'content-length: ',
        'transfer-encoding: chunked',
        '3',
        ':',
        '0',
      )
      .map(latin1),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      try {
        read(parts, true);
      } catch (error) {
        expect((error as Error).message).toMatch(/^the answer is not HTTP\/1.1|^an answer of more/);
      }
    }),
    { numRuns: 2_000 },
  );
});

/** What Node's own client makes of the same bytes. */
async function readByNode(bytes: Buffer): Promise<Pick<Read, 'statusCode' | 'text'>> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => socket.end(bytes));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const asked = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
    asked.end();
    const [answer] = await once(asked, 'response');
    let text = '';
    answer.setEncoding('utf8');
    for await (const part of answer) text += part;
    return { statusCode: answer.statusCode, text };
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
