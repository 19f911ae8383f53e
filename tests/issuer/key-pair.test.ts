// One key pair against jose, which has the standards independently.
import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { generateKeyPair, keyPairOf, thumbprint } from '../../src/issuer/key-pair.ts';

async function privateJwk() {
  const pair = await generateKeyPair();
  const { d } = await exportJWK(pair.privateKey);
  return { ...pair.publicJwk, d: String(d) };
}

describe('a key pair', () => {
  it('is named by its RFC 7638 thumbprint, as jose computes it', async () => {
    const { kid, publicJwk } = await generateKeyPair();
    expect(kid).toBe(await calculateJwkThumbprint({ ...publicJwk }, 'sha256'));
  });

  it('is named the same whatever else stands in the JWK, in whatever order', async () => {
    const { d, x, y, kty, crv } = await privateJwk();
    const reordered = { y, d, crv, x, kty, use: 'sig' };
    expect(thumbprint(reordered)).toBe(thumbprint({ kty, crv, x, y }));
  });

  it('comes back from its private JWK', async () => {
    const jwk = await privateJwk();
    const pair = keyPairOf(jwk);
    expect(await exportJWK(pair!.privateKey)).toEqual(jwk);
    expect(pair?.publicJwk).toEqual({ kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y });
  });

  it.each([
    ['of another key', async () => (await privateJwk()).d],
    ['zero', async () => 'A'.repeat(43)],
    ['beyond the order of the curve', async () => '_'.repeat(43)],
  ])('is refused where the private number is %s', async (_what, d) => {
    expect(keyPairOf({ ...(await privateJwk()), d: await d() })).toBeUndefined();
  });

  it('gives nothing of the private key away as JSON', async () => {
    const pair = await generateKeyPair();
    const { d } = await exportJWK(pair.privateKey);
    expect(JSON.stringify(pair)).not.toContain(d);
    expect(Object.keys(pair.publicJwk)).toEqual(['kty', 'crv', 'x', 'y']);
  });
});
