// A Secret that somebody has touched is told apart from one that can be used, and its content is never quoted.
import { describe, expect, test } from '@jest/globals';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { newServingCertificate } from '../../src/tls/serving-certificate.ts';
import {
  parseServing,
  privatePem,
  serialiseServing,
  ServingCertificateError,
} from '../../src/tls/serving-document.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const pem = (key: KeyObject) => base64(key.export({ type: 'pkcs8', format: 'pem' }).toString());
const mine = await newServingCertificate(['localhost'], NOW);
const other = await newServingCertificate(['localhost'], NOW);
const [data, foreign] = [serialiseServing(mine), serialiseServing(other)];

test('what is written is read back', () => {
  const { serving, authority, trusted } = parseServing(data);
  expect(serialiseServing({ serving, authority, trusted })).toEqual(data);
  expect(privatePem(authority)).toBe(privatePem(mine.authority));
});

test('of several authorities the one that the key belongs to signs', () => {
  const both = { ...mine, authority: other.authority, trusted: [...mine.trusted, ...other.trusted] };
  expect(parseServing(serialiseServing(both)).authority.certificate).toBe(other.authority.certificate);
});

describe('a damaged Secret is refused:', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  test.each<[string, Record<string, string>, RegExp]>([
    ['an empty one', {}, /ca\.crt is missing/],
    ['one of cert-manager, without our key', { ...data, 'ca.key': '' }, /ca\.key is missing/],
    ['one without the certificate', { ...data, 'tls.crt': '' }, /tls\.crt is missing/],
    ['a certificate that is none', { ...data, 'tls.crt': base64('hello') }, /tls\.crt holds no certificate/],
    ['a key that is none', { ...data, 'tls.key': base64('hello') }, /tls\.key holds no private key/],
    [
      'a certificate cut off',
      { ...data, 'tls.crt': (data['tls.crt'] ?? '').slice(0, 200) },
      /holds no certificate/,
    ],
    [
      'the key of another certificate',
      { ...data, 'tls.key': foreign['tls.key'] ?? '' },
      /tls\.key does not belong/,
    ],
    [
      'a certificate of another authority',
      { ...foreign, 'ca.crt': data['ca.crt'] ?? '' },
      /has signed tls\.crt/,
    ],
    ['the key of another authority', { ...data, 'ca.key': foreign['ca.key'] ?? '' }, /ca\.key belongs to no/],
    [
      'an authority that is a certificate',
      {
        ...data,
        'ca.key': data['tls.key'] ?? '',
        'ca.crt': base64(`${mine.trusted.join('')}${mine.serving.certificate}`),
      },
      /belongs to no certificate of an authority/,
    ],
    [
      'a bundle of nothing',
      { ...data, 'ca.crt': base64('-----BEGIN CERTIFICATE-----') },
      /has signed tls\.crt/,
    ],
    ['a key that cannot sign as we do', { ...data, 'ca.key': pem(rsa) }, /no key on P-256/],
  ])('%s', (_, spoilt, message) => {
    const parse = () => parseServing(spoilt);
    expect(parse).toThrow(ServingCertificateError);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/Delete its Secret/);
    expect(parse).not.toThrow(/PRIVATE|MI[IGH]/);
  });
});
