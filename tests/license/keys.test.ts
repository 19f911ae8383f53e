import { describe, expect, test } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { privateKey, publicKeys } from '../../src/license/keys.ts';

const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });

const publicPem = (pair: typeof ed25519) => pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const privatePem = (pair: typeof ed25519) =>
  pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicJwk = (pair: typeof ed25519) => pair.publicKey.export({ format: 'jwk' });
const privateJwk = (pair: typeof ed25519) => pair.privateKey.export({ format: 'jwk' });

describe('public keys', () => {
  test.each<[string, string, readonly string[]]>([
    ['one PEM', publicPem(ed25519), ['EdDSA']],
    [
      'several PEMs',
      `the new one:\n${publicPem(p256)}\nthe old one:\n${publicPem(ed25519)}`,
      ['ES256', 'EdDSA'],
    ],
    ['a JWK', JSON.stringify(publicJwk(p256)), ['ES256']],
    ['a JWK Set', JSON.stringify({ keys: [publicJwk(ed25519), publicJwk(p256)] }), ['EdDSA', 'ES256']],
  ])('are read from %s, and say by which algorithm they verify', (_, text, algorithms) => {
    expect(publicKeys(text).map(({ algorithm }) => algorithm)).toEqual(algorithms);
  });

  test.each<[string, string, string]>([
    ['nothing', '', '1 to 8 public keys'],
    ['something else', 'hello', '1 to 8 public keys'],
    ['an empty JWK Set', '{"keys": []}', '1 to 8 public keys'],
    ['nine keys', publicPem(ed25519).repeat(9), '1 to 8 public keys'],
    ['half a PEM', publicPem(ed25519).replace(/.{20}\n-----END/, '\n-----END'), 'cannot be read|not a key'],
    ['broken JSON', '{"keys": [', 'not a key that can be read'],
    ['JSON of another kind', '{"keys": 3}', 'neither a JWK nor a JWK Set'],
    ['a JWK without a point', '{"kty": "EC", "crv": "P-256"}', 'not a key that can be read'],
    ['a private PEM', privatePem(ed25519), 'stays with the vendor'],
    ['a private PEM beside a public one', publicPem(p256) + privatePem(ed25519), 'stays with the vendor'],
    ['a private JWK', JSON.stringify(privateJwk(p256)), 'stays with the vendor'],
    ['a shared secret', '{"kty": "oct", "k": "c2VjcmV0"}', 'stays with the vendor'],
    ['an RSA key', publicPem(rsa), 'Ed25519 or P-256'],
    ['another curve', JSON.stringify(publicJwk(p384)), 'Ed25519 or P-256'],
  ])('are refused from %s', (_, text, why) => {
    expect(() => publicKeys(text)).toThrow(new RegExp(why));
  });
});

describe('a private key', () => {
  test.each<[string, string, string]>([
    ['PEM', privatePem(ed25519), 'EdDSA'],
    ['PEM', privatePem(p256), 'ES256'],
    ['a JWK', JSON.stringify(privateJwk(ed25519)), 'EdDSA'],
  ])('is read from %s', (_, text, algorithm) => {
    expect(privateKey(text).algorithm).toBe(algorithm);
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['a public PEM', publicPem(ed25519)],
    ['a public JWK', JSON.stringify(publicJwk(p256))],
    ['an RSA key', privatePem(rsa)],
  ])('is refused from %s, without a word of what the file holds', (_, text) => {
    let message = '';
    try {
      privateKey(text);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/LicenseKeyError: /);
    for (const line of text.split('\n').filter((part) => part.length > 10))
      expect(message).not.toContain(line);
  });
});
