// The reader of answers, fed with bytes that no server should send: it ends with an answer or an error, and keeps little.
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { FilterParser, ProtocolOperation, SearchRequest } from 'ldapts';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { FaultyAnswer } from '../../../src/directory/fault.ts';
import { readEntry } from '../../../src/directory/ldap/entry.ts';
import { answersTo, exchange, resultOf } from '../../../src/directory/ldap/exchange.ts';
import type { LdapMessage } from '../../../src/directory/ldap/message.ts';
import { entryMessage, result } from '../support/scripted-ldap.ts';

const { LDAP_RES_SEARCH: LAST, LDAP_RES_SEARCH_ENTRY: ENTRY } = ProtocolOperation;
const REQUEST = new SearchRequest({
  messageId: 7,
  baseDN: 'dc=example',
  scope: 'sub',
  filter: FilterParser.parseString('(uid=*)'),
});
const MEBIBYTE = 1024 * 1024;

const ENTRY_BYTES = entryMessage(7, {
  dn: 'uid=ada,dc=example',
  attributes: { uid: ['ada'], mail: ['ada@example.org', 'lovelace@example.org'] },
});
const ANSWER = Buffer.concat([ENTRY_BYTES, ENTRY_BYTES, result(7, LAST, 0, 'next')]);

/** A connection whose other end sends these chunks, and then, unless it is left open, closes. */
function connection(chunks: Iterable<Buffer>): { readonly socket: Socket; taken(): number } {
  const rest = chunks[Symbol.iterator]();
  let taken = 0;
  const duplex = new Duplex({
    read() {
      const next = rest.next();
      if (!next.done) taken += next.value.length;
      this.push(next.done ? null : next.value);
    },
    write: (_chunk, _encoding, done) => done(),
  });
  // Of a Socket, only what a Duplex has is used.
  return { socket: duplex as unknown as Socket, taken: () => taken };
}

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = Math.max(1, sizes[index % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

type Outcome = { readonly messages: readonly LdapMessage[] } | { readonly error: unknown };

const outcomeOf = (chunks: Iterable<Buffer>): Promise<Outcome> =>
  exchange(connection(chunks).socket, REQUEST, LAST, [ENTRY]).then(
    (messages) => ({ messages }),
    (error: unknown) => ({ error }),
  );

/** As a search takes an answer apart; whatever it finds wrong it has to say. */
function takeApart(outcome: Outcome): void {
  if ('error' in outcome) {
    expect(outcome.error).toBeInstanceOf(FaultyAnswer);
    return;
  }
  expect(outcome.messages.at(-1)?.operation.tag).toBe(LAST);
  for (const { operation } of outcome.messages)
    try {
      if (operation.tag === ENTRY) readEntry(operation);
      else resultOf(operation);
    } catch (error) {
      expect(error).toBeInstanceOf(FaultyAnswer);
    }
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });

describe('an answer', () => {
  test('is the same however it is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (cuts) => {
        const outcome = await outcomeOf(cut(ANSWER, cuts));
        expect('messages' in outcome && outcome.messages.map(({ operation }) => operation.tag)).toEqual([
          ENTRY,
          ENTRY,
          LAST,
        ]);
      }),
    );
  });

  test('of arbitrary bytes is a fault', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), sizes, async (bytes, cuts) => {
        takeApart(await outcomeOf(cut(Buffer.from(bytes), cuts)));
      }),
      { numRuns: 500 },
    );
  });

  test('with bytes that were changed, left out or slipped in is an answer or a fault, and never less than whole', async () => {
    const place = fc.nat(ANSWER.length - 1);
    const change = fc.oneof(
      fc.record({ at: place, byte: fc.integer({ min: 0, max: 255 }), drop: fc.constant(1) }),
      fc.record({ at: place, byte: fc.integer({ min: 0, max: 255 }), drop: fc.constant(0) }),
      fc.record({ at: place, byte: fc.constant(undefined), drop: fc.integer({ min: 1, max: 20 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), sizes, async (changes, cuts) => {
        const bytes = [...ANSWER];
        for (const { at, byte, drop } of changes)
          bytes.splice(at, drop, ...(byte === undefined ? [] : [byte]));
        takeApart(await outcomeOf(cut(Buffer.from(bytes), cuts)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('that ends too early, wherever, is a fault', async () => {
    for (let length = 0; length < ANSWER.length; length++) {
      const outcome = await outcomeOf([ANSWER.subarray(0, length)]);
      expect(outcome).toMatchObject({ error: { fault: 'CutOff' } });
    }
  });
});

describe('an answer that is too long', () => {
  function* endless(bytes: Buffer): Generator<Buffer> {
    for (;;) yield bytes;
  }

  test('is given up after so many bytes', async () => {
    const { socket, taken } = connection(endless(ENTRY_BYTES));
    await expect(exchange(socket, REQUEST, LAST, [ENTRY])).rejects.toMatchObject({ fault: 'TooLong' });
    expect(taken()).toBeLessThan(MEBIBYTE);
  });

  test.each([
    ['two gigabytes', '30847fffffff'],
    ['a mebibyte and its header', '3083100000'],
  ])(
    'because its first message claims to have %s, is given up before they are read',
    async (_name, header) => {
      const start = Buffer.from(header, 'hex');
      const filler = Buffer.alloc(16 * 1024);
      const { socket, taken } = connection(
        (function* chunks() {
          yield start;
          yield* endless(filler);
        })(),
      );
      const answers = answersTo(socket, REQUEST, { last: LAST, before: [ENTRY], maxBytes: 32 * MEBIBYTE });
      await expect(answers.next()).rejects.toMatchObject({ fault: 'TooLong' });
      expect(taken()).toBeLessThan(100 * 1024);
    },
  );

  test('by its count of messages is taken message by message, and kept by nobody', async () => {
    const { socket } = connection(endless(ENTRY_BYTES));
    let count = 0;
    const take = async () => {
      const shape = { last: LAST, before: [ENTRY], maxBytes: 4 * MEBIBYTE };
      for await (const { operation } of answersTo(socket, REQUEST, shape)) {
        readEntry(operation);
        count += 1;
      }
    };
    await expect(take()).rejects.toMatchObject({ fault: 'TooLong' });
    expect(count).toBe(Math.floor((4 * MEBIBYTE) / ENTRY_BYTES.length));
  });
});

test.each([
  ['another request', result(8, LAST, 0)],
  ['nobody, as a notice of disconnection does', result(0, 0x78, 52)],
])('an answer to %s ends the conversation', async (_name, bytes) => {
  expect(await outcomeOf([bytes])).toMatchObject({ error: { fault: 'CutOff' } });
});

test('what comes behind an answer makes it none', async () => {
  expect(await outcomeOf([Buffer.concat([ANSWER, ENTRY_BYTES])])).toMatchObject({
    error: { fault: 'Malformed' },
  });
});
