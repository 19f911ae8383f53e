// A signed token: what it says, for how long, and when there is none.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { publicJwks } from '../../src/issuer/discovery.ts';
import { LONGEST_TTL_MS } from '../../src/issuer/keyring.ts';
import { signer } from '../../src/issuer/signer.ts';
import { ADA, NOW, sampleKeyring } from './samples.ts';

const ISSUER = 'https://latchkey.example.com';
const TTL_MS = 30 * 60_000;
const keyring = await sampleKeyring();
const issuer = signer(() => keyring, ISSUER);

describe('a signed token', () => {
  it('names the active key and says what its bearer is', async () => {
    const { token, expiresAt, jti, kid } = await issuer.sign(ADA, TTL_MS, NOW);
    expect(kid).toBe(keyring.active.kid);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid, typ: 'JWT' });
    const iat = Date.parse('2026-03-01T10:00:00Z') / 1_000;
    expect(decodeJwt(token)).toEqual({ ...ADA, iss: ISSUER, iat, nbf: iat - 5, exp: iat + 1_800, jti });
    expect(expiresAt).toEqual(new Date('2026-03-01T10:30:00Z'));
  });

  it('verifies by the published keys', async () => {
    const { token } = await issuer.sign(ADA, TTL_MS, NOW);
    const jwks = createLocalJWKSet(publicJwks(keyring));
    const options = { issuer: ISSUER, audience: 'latchkey', currentDate: NOW };
    await expect(jwtVerify(token, jwks, options)).resolves.toMatchObject({
      payload: { preferred_username: 'ada' },
    });
    const stranger = createLocalJWKSet(publicJwks(await sampleKeyring()));
    await expect(jwtVerify(token, stranger, options)).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });

  it('lives up to a second less than its ttl, and never more', async () => {
    const ttl = fc.integer({ min: 60_000, max: LONGEST_TTL_MS });
    const time = fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    await fc.assert(
      fc.asyncProperty(ttl, time, async (ttlMs, now) => {
        const { token, expiresAt } = await issuer.sign(ADA, ttlMs, now);
        const livesMs = expiresAt.getTime() - now.getTime();
        expect(livesMs).toBeLessThanOrEqual(ttlMs);
        expect(livesMs).toBeGreaterThan(ttlMs - 2_000);
        expect((decodeJwt(token).exp ?? 0) * 1_000).toBe(expiresAt.getTime());
      }),
    );
  });

  it('has a number of its own, a random UUID', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, () => issuer.sign(ADA, TTL_MS, NOW)));
    expect(new Set(tokens.map(({ jti }) => jti)).size).toBe(50);
    for (const { jti } of tokens)
      expect(jti).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('does not let a claim overrule its issuer, its times or its number', async () => {
    const claims = { ...ADA, iss: 'https://elsewhere', exp: 9e9, nbf: 0, iat: 0, jti: 'mine' };
    const { token, jti } = await issuer.sign(claims, TTL_MS, NOW);
    expect(decodeJwt(token)).toMatchObject({
      iss: ISSUER,
      iat: 1_772_359_200,
      nbf: 1_772_359_195,
      exp: 1_772_361_000,
      jti,
    });
  });
});

describe('nothing is signed', () => {
  it('without a key', async () => {
    await expect(signer(() => undefined, ISSUER).sign(ADA, TTL_MS, NOW)).rejects.toMatchObject({
      code: 'NoSigningKey',
    });
  });

  it.each([0, 999, -1, LONGEST_TTL_MS + 1, Number.NaN, Number.POSITIVE_INFINITY])(
    'for %d ms',
    async (ttlMs) => {
      await expect(issuer.sign(ADA, ttlMs, NOW)).rejects.toMatchObject({ code: 'TtlOutOfRange' });
    },
  );

  it('with a key that has been replaced', async () => {
    let current = keyring;
    const following = signer(() => current, ISSUER);
    const before = await following.sign(ADA, TTL_MS, NOW);
    current = await sampleKeyring();
    const after = await following.sign(ADA, TTL_MS, NOW);
    expect([before.kid, after.kid]).toEqual([keyring.active.kid, current.active.kid]);
  });
});
