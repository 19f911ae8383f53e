// What is remembered of good signatures: as long as the key counts, and no more than so many.
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { digestOf, VerifiedTokens } from '../../src/issuer/verified-tokens.ts';

const publicKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const key = publicKey();
const keys = new Map<string, KeyObject>([['a', key]]);
const entry = (claims: string) => ({ kid: 'a', key, claims });

test('a token that was good is known by its own spelling alone, and not kept', () => {
  const known = new VerifiedTokens<string>(10);
  known.add(digestOf('token'), entry('ada'));
  expect(known.find(digestOf('token'), keys)).toBe('ada');
  expect(known.find(digestOf('token'), keys)).toBe('ada');
  expect(known.find(digestOf('tokeN'), keys)).toBeUndefined();
  expect(known.find(digestOf(''), keys)).toBeUndefined();
  expect(digestOf('token')).toMatch(/^[\w-]{43}$/);
});

test.each<[string, ReadonlyMap<string, KeyObject>]>([
  ['was withdrawn', new Map()],
  ['has given its name to another', new Map([['a', publicKey()]])],
  ['has another name now', new Map([['b', key]])],
  ['was read anew', new Map([['a', createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' })]])],
])('a token is forgotten whose key %s', (_, others) => {
  const known = new VerifiedTokens<string>(10);
  known.add('token', entry('ada'));
  expect(known.find('token', others)).toBeUndefined();
  expect(known.find('token', keys)).toBeUndefined();
});

test('of too many the one goes that was asked about longest ago', () => {
  const known = new VerifiedTokens<string>(3);
  for (const token of ['1', '2', '3']) known.add(token, entry(token));
  expect(known.find('1', keys)).toBe('1');
  known.add('4', entry('4'));
  expect(known.find('2', keys)).toBeUndefined();
  expect(['1', '3', '4'].map((token) => known.find(token, keys))).toEqual(['1', '3', '4']);
});

test('a token that is added twice takes one place', () => {
  const known = new VerifiedTokens<string>(2);
  known.add('1', entry('1'));
  known.add('2', entry('2'));
  known.add('2', entry('2'));
  expect(known.find('1', keys)).toBe('1');
});
