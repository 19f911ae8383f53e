// Revocation as RFC 7009 wants it: the answer is the same whatever the token was, unless nothing could be done.
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { waitUntil } from '../../../dev/wait-until.ts';
import { FORM, startVerifierServer } from '../verifier-server.ts';

const server = await startVerifierServer();
afterAll(() => server.close());
let ended: string[] = [];
beforeEach(() => {
  ended = [];
  server.script.end = async (token) => {
    ended.push(token);
    return true;
  };
});
const revoke = (body: string, headers: Record<string, string> = FORM) =>
  server.post('/revoke', headers, body);

test('takes a token from whoever has it, and says nothing', async () => {
  expect(await revoke('token=a.b.c&token_type_hint=refresh_token')).toMatchObject({ status: 200, text: '' });
  expect(ended).toEqual(['a.b.c']);
});

test('says that the token lives on where nothing could be done', async () => {
  server.script.end = async () => false;
  expect(await revoke('token=a.b.c')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
});

test.each(['', 'token=', 'token=a&token=b', 'token=a&token_type_hint=b&token_type_hint=c'])(
  '%j is a 400',
  async (body) => {
    expect((await revoke(body)).status).toBe(400);
    expect(ended).toEqual([]);
  },
);

const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
const jwt = (claims: object) => `${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.c2ln`;

test('a token of Kubernetes lives on, and the answer says so', async () => {
  const token = jwt({
    iss: 'https://kubernetes.default.svc',
    sub: 'system:serviceaccount:ada:access-token',
    'kubernetes.io': {},
  });
  const { status, text } = await revoke(`token=${token}`);
  expect([status, JSON.parse(text)]).toEqual([400, { error: 'unsupported_token_type' }]);
  expect(ended).toEqual([]);
});

test.each([
  ['of another issuer', jwt({ iss: 'https://sso.example.org', sub: 'ada' })],
  ['whose payload is no object', `${part({})}.${Buffer.from('"kubernetes.io"').toString('base64url')}.c2ln`],
  ['that names it in a value', jwt({ sub: 'kubernetes.io' })],
])('a token %s is good for nothing, and is answered as one', async (_, token) => {
  expect(await revoke(`token=${token}`)).toMatchObject({ status: 200, text: '' });
  expect(ended).toEqual([token]);
});

test('a megabyte is a 413, and JSON a 415', async () => {
  expect((await revoke(`token=${'x'.repeat(1024 * 1024)}`)).status).toBe(413);
  expect((await revoke('{"token":"a"}', { 'content-type': 'application/json' })).status).toBe(415);
});

test('a flood is refused beyond what is worked on at once', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  server.script.end = async () => {
    await released;
    return true;
  };
  const early: number[] = [];
  const answers = Array.from({ length: 50 }, () =>
    revoke('token=a.b.c').then(({ status }) => {
      early.push(status);
      return status;
    }),
  );
  await waitUntil('the others to be refused', 60_000, () => early.length === 50 - 32);
  expect(new Set(early)).toEqual(new Set([429]));
  release();
  expect((await Promise.all(answers)).filter((status) => status === 200)).toHaveLength(32);
});
