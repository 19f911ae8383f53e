// The two documents as a verifier gets them, from the project's own HTTPS server.
import { afterAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { publicJwks } from '../../../src/issuer/discovery.ts';
import type { Keyring } from '../../../src/issuer/keyring.ts';
import { signer } from '../../../src/issuer/signer.ts';
import { ADA, sampleKeyring } from '../../issuer/samples.ts';
import { startIssuer } from './issuer-server.ts';

const WELL_KNOWN = '/.well-known/openid-configuration';

let keyring: Keyring | undefined = await sampleKeyring();
const issuer = await startIssuer(() => keyring, '/realms/a:b');
afterAll(() => issuer.close());

describe('the discovery documents', () => {
  it('are found from the issuer URL alone, path and all, and verify a token', async () => {
    const { token } = await signer(() => keyring, issuer.issuerUrl).sign(ADA, 60_000, new Date());
    const { issuer: name, jwks_uri: jwksUri } = JSON.parse((await issuer.get(WELL_KNOWN)).body);
    expect(name).toBe(issuer.issuerUrl);
    const jwks: JSONWebKeySet = JSON.parse((await issuer.get(jwksUri)).body);
    await expect(jwtVerify(token, createLocalJWKSet(jwks), { issuer: name })).resolves.toMatchObject({
      payload: { sub: ADA.sub },
    });
  });

  it.each([WELL_KNOWN, '/jwks'])(
    '%s is JSON for every origin, to be asked for again each time',
    async (path) => {
      const { status, headers } = await issuer.get(path);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-cache',
        'access-control-allow-origin': '*',
        'x-content-type-options': 'nosniff',
      });
    },
  );

  it.each([WELL_KNOWN, '/jwks'])('%s is not sent again to whom it has not changed for', async (path) => {
    const etag = String((await issuer.get(path)).headers['etag']);
    const again = await issuer.get(path, { 'if-none-match': `"other", W/${etag}` });
    expect(again).toMatchObject({ status: 304, body: '', headers: { etag, 'cache-control': 'no-cache' } });
    expect((await issuer.get(path, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('follow the keyring: another one has other keys and another tag', async () => {
    const before = await issuer.get('/jwks');
    keyring = await sampleKeyring();
    const after = await issuer.get('/jwks', { 'if-none-match': String(before.headers['etag']) });
    expect(after.status).toBe(200);
    expect(JSON.parse(after.body)).toEqual(publicJwks(keyring));
  });

  it('say 503 for the keys while there are none, without caching it, and serve them when they are back', async () => {
    const known = keyring;
    keyring = undefined;
    expect(await issuer.get('/jwks')).toMatchObject({
      status: 503,
      headers: { 'cache-control': 'no-store' },
    });
    expect((await issuer.get(WELL_KNOWN)).status).toBe(200);
    keyring = known;
    expect((await issuer.get('/jwks')).status).toBe(200);
  });

  it('are not served outside the path of the issuer', async () => {
    expect((await issuer.get(new URL(WELL_KNOWN, issuer.issuerUrl).href)).status).toBe(404);
  });
});
