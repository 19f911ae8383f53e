// Introspection as RFC 7662 wants it: exactly "inactive" for whatever is not good, and nothing to strangers.
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ADA } from '../../issuer/samples.ts';
import { ACCEPTED, BEARER, CALLER, FORM, basic, startVerifierServer } from '../verifier-server.ts';

const server = await startVerifierServer();
afterAll(() => server.close());
beforeEach(() => {
  server.script.verify = async () => ACCEPTED;
  server.script.asked = [];
});
const ask = (body: string, headers: Record<string, string> = { ...FORM, ...BEARER }) =>
  server.post('/introspect', headers, body);

describe('a caller', () => {
  test.each([
    ['its token as Bearer', BEARER],
    ['client_secret_basic', basic(CALLER.name, CALLER.token)],
    ['client_secret_basic, form-encoded', basic(CALLER.name, CALLER.token.replaceAll('_', '%5F'))],
  ])('learns with %s who the bearer is now, and what the token is', async (_, headers) => {
    const {
      status,
      text,
      headers: answered,
    } = await ask('token=a.b.c&token_type_hint=access_token', {
      ...FORM,
      ...headers,
    });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      active: true,
      token_type: 'Bearer',
      username: 'ada',
      ...ADA,
      iss: server.issuerUrl,
      jti: 'number',
      exp: 1_800,
      iat: 0,
      nbf: -5,
    });
    expect(answered).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(server.script.asked).toEqual(['a.b.c']);
  });

  test.each(['Expired', 'SwitchedOff', 'UnknownKey'])(
    'learns nothing of a token but that it is not active: %s',
    async (reason) => {
      server.script.verify = async () => ({ outcome: 'Refused', reason });
      expect(await ask('token=a.b.c')).toMatchObject({ status: 200, text: '{"active":false}' });
    },
  );

  test('is asked to come back where nothing is known, so that it does not remember a no', async () => {
    server.script.verify = async () => ({ outcome: 'Undecided', reason: 'CacheNotProven' });
    expect(await ask('token=a.b.c')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  test.each(['', 'token=', 'hint=a', 'token=a&token=b', 'token=a&token_type_hint=b&token_type_hint=c'])(
    'gets a 400 for %j',
    async (body) => {
      expect(await ask(body)).toMatchObject({ status: 400, text: '{"error":"invalid_request"}' });
      expect(server.script.asked).toEqual([]);
    },
  );

  test('gets a 415 for JSON, and a 413 for a megabyte', async () => {
    const json = { ...BEARER, 'content-type': 'application/json' };
    expect((await ask('{"token":"a.b.c"}', json)).status).toBe(415);
    expect((await ask(`token=${'x'.repeat(1024 * 1024)}`)).status).toBe(413);
  });
});

test.each<[string, Record<string, string>]>([
  ['nothing', {}],
  ['another secret', basic(CALLER.name, 'other')],
  ['another name', basic('web', CALLER.token)],
  ['the secret in the form', {}],
])('a stranger with %s is a 401', async (_, headers) => {
  const body = `token=a.b.c&client_id=${CALLER.name}&client_secret=${CALLER.token}`;
  expect((await ask(body, { ...FORM, ...headers })).status).toBe(401);
  expect(server.script.asked).toEqual([]);
});

test('the token in the address is no question, and a GET is none', async () => {
  const asked = server.post('/introspect?token=a.b.c', { ...FORM, ...BEARER }, '');
  expect((await asked).status).toBe(400);
});
