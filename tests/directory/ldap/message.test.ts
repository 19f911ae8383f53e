// LDAP messages, whole, cut off and hostile.
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BindRequest } from 'ldapts';
import {
  integerOf,
  MalformedMessage,
  messageLength,
  readElements,
  readMessage,
} from '../../../src/directory/ldap/message.ts';

const SUCCESS = Buffer.from('300c02010261070a010004000400', 'hex');

describe('an LDAP message', () => {
  test('is read into its number, its operation and no controls', () => {
    const { id, operation, controls } = readMessage(SUCCESS);
    expect({ id, tag: operation.tag, controls }).toEqual({ id: 2, tag: 0x61, controls: [] });
  });

  test('that ldapts writes is read back', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.string(), (messageId, dn, password) => {
        const bytes = new BindRequest({ messageId, dn, password }).write();
        const { id, operation } = readMessage(bytes);
        expect(messageLength(bytes)).toBe(bytes.length);
        expect(id).toBe(messageId);
        expect(readElements(operation.value)[1]?.value.toString()).toBe(Buffer.from(dn).toString());
      }),
    );
  });

  test('tells its length as soon as its header is there', () => {
    const lengths = [0, 1, 2, 3].map((count) => messageLength(SUCCESS.subarray(0, count)));
    expect(lengths).toEqual([undefined, undefined, 14, 14]);
  });

  test.each([
    ['of another kind than a sequence', '310c02010261070a010004000400'],
    ['of indefinite length', '3080020102'],
    ['of negative length', '3084ffffffff02'],
  ])('%s has no length', (_name, hex) => {
    expect(() => messageLength(Buffer.from(hex, 'hex'))).toThrow(MalformedMessage);
  });

  test.each([
    ['nothing', ''],
    ['without an operation', '3003020102'],
    ['whose content is cut off', '300c0201026107'],
    ['whose element is longer than the message', '30050201026105'],
    ['with an element that steps back', '300b0201026184fffffffa0000'],
    ['whose number is empty', '300402006100'],
    ['whose number has five bytes', '3009020500000000026100'],
  ])('that is malformed is refused: %s', (_name, hex) => {
    expect(() => readMessage(Buffer.from(hex, 'hex'))).toThrow(MalformedMessage);
  });

  test('of any bytes is read or refused as malformed, and in no other way', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const read of [messageLength, readMessage, readElements]) {
          try {
            read(Buffer.from(bytes));
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessage);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('holds integers with their sign', () => {
    const values = ['00', '31', 'ff', '1000', '7fffffff'].map((hex) =>
      integerOf({ tag: 2, value: Buffer.from(hex, 'hex') }),
    );
    expect(values).toEqual([0, 49, -1, 4096, 0x7fffffff]);
  });
});
