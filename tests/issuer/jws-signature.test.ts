// An ECDSA signature in JOSE's form: whatever the numbers in it are, node:crypto takes it for the same.
import { expect, test } from '@jest/globals';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import * as fc from 'fast-check';
import { jwsSignature } from '../../src/issuer/jws-signature.ts';

/** As DER has it: no more bytes than needed, and a zero before a first bit that would make it negative. */
function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const positive = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return Buffer.concat([Buffer.from([0x02, positive.length]), positive]);
}

function der(r: bigint, s: bigint): Buffer {
  const numbers = Buffer.concat([integer(r), integer(s)]);
  return Buffer.concat([Buffer.from([0x30, numbers.length]), numbers]);
}

test('R and S stand side by side, however short they are', () => {
  const number = fc.oneof(fc.bigInt(0n, 2n ** 256n - 1n), fc.bigInt(0n, 2n ** 248n), fc.bigInt(0n, 255n));
  const hex = (value: bigint) => value.toString(16).padStart(64, '0');
  fc.assert(
    fc.property(number, number, (r, s) => {
      expect(jwsSignature(der(r, s)).toString('hex')).toBe(hex(r) + hex(s));
    }),
  );
});

test('node:crypto verifies every one', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // Enough that some numbers are a byte short, which one in 256 is.
  for (let index = 0; index < 2_000; index++) {
    const data = Buffer.from(String(index));
    const signature = jwsSignature(sign('sha256', data, privateKey));
    expect(signature).toHaveLength(64);
    expect(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  }
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['one number', Buffer.from('3003020101', 'hex')],
  ['a number that goes on', Buffer.from('3006020101022001', 'hex')],
  ['something else than numbers', Buffer.from('3006040101040101', 'hex')],
  ['a number of no bytes', Buffer.from('30040200 0200'.replace(' ', ''), 'hex')],
])('%s is refused', (_, signature) => {
  expect(() => jwsSignature(signature)).toThrow(RangeError);
});
