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
  await waitUntil('the others to be refused', 10_000, () => early.length === 50 - 32);
  expect(new Set(early)).toEqual(new Set([429]));
  release();
  expect((await Promise.all(answers)).filter((status) => status === 200)).toHaveLength(32);
});
