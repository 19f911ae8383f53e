// The two public documents: only what is true, and never a private number.
import { describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader, exportJWK } from 'jose';
import { endpoints, providerMetadata, publicJwks } from '../../src/issuer/discovery.ts';
import { generateKeyPair } from '../../src/issuer/key-pair.ts';
import { PUBLISH_FIRST_MS, publishedKeys, rotate } from '../../src/issuer/keyring.ts';
import { signer } from '../../src/issuer/signer.ts';
import { ADA, NOW, sampleKeyring } from './samples.ts';

const ISSUER = 'https://latchkey.example.com/identity';
const keyring = rotate(
  await sampleKeyring(),
  await generateKeyPair(),
  new Date(NOW.getTime() + PUBLISH_FIRST_MS),
);

describe('the metadata of the issuer', () => {
  it('names exactly the claims and the algorithm of a token', async () => {
    const { token } = await signer(() => keyring, ISSUER).sign(ADA, 60_000, NOW);
    const metadata = providerMetadata(ISSUER);
    expect(metadata.claims_supported.toSorted()).toEqual(Object.keys(decodeJwt(token)).toSorted());
    expect(metadata.id_token_signing_alg_values_supported).toEqual([decodeProtectedHeader(token).alg]);
    expect(metadata.issuer).toBe(decodeJwt(token).iss);
  });

  it.each([
    ['https://latchkey.example.com', 'https://latchkey.example.com'],
    ['https://latchkey.example.com/', 'https://latchkey.example.com'],
    ['https://example.com/identity', 'https://example.com/identity'],
  ])('of %s lies below its path', (issuer, base) => {
    expect(endpoints(issuer)).toEqual({
      metadata: `${base}/.well-known/openid-configuration`,
      jwks: `${base}/jwks`,
      introspection: `${base}/introspect`,
      revocation: `${base}/revoke`,
      tokenReview: `${base}/token-review`,
    });
    expect(providerMetadata(issuer)).toMatchObject({ issuer, jwks_uri: `${base}/jwks` });
  });
});

describe('the published keys', () => {
  it('are the active, the next and the retired ones, each good for ES256 signatures', () => {
    const { keys } = publicJwks(keyring);
    expect(keys.map(({ kid }) => kid)).toEqual(publishedKeys(keyring).map(({ kid }) => kid));
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' });
  });

  it('hold no private number', async () => {
    const text = JSON.stringify(publicJwks(keyring));
    for (const { privateKey } of [keyring.active, keyring.next])
      expect(text).not.toContain((await exportJWK(privateKey)).d);
    for (const key of publicJwks(keyring).keys)
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('hold no private number even where one has got into the public part of a key', async () => {
    const { privateKey, ...active } = keyring.active;
    const leaky = { ...active.publicJwk, d: (await exportJWK(privateKey)).d };
    expect(leaky).toHaveProperty('d');
    const jwks = publicJwks({
      active: { ...active, privateKey, publicJwk: leaky },
      next: { ...keyring.next, publicJwk: leaky },
      retired: [{ ...active, publicJwk: leaky, until: NOW }],
    });
    expect(jwks.keys).toHaveLength(3);
    for (const key of jwks.keys) expect(key).not.toHaveProperty('d');
  });
});
