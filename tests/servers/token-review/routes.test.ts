// The webhook as kube-apiserver meets it, and as strangers and floods do.
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { waitUntil } from '../../../dev/wait-until.ts';
import {
  ACCEPTED,
  BEARER,
  CALLER,
  JSON_TYPE,
  basic,
  startVerifierServer,
  type Answer,
} from '../verifier-server.ts';

const server = await startVerifierServer();
afterAll(() => server.close());
beforeEach(() => {
  server.script.verify = async () => ACCEPTED;
  server.script.asked = [];
});

const review = (token: unknown = 'a.b.c', audiences: unknown = ['latchkey']) => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  metadata: { creationTimestamp: null },
  spec: { token, audiences },
});
const ask = (body: unknown = review(), headers: Record<string, string | string[]> = BEARER) =>
  server.post(
    '/token-review',
    { ...JSON_TYPE, ...headers },
    typeof body === 'string' ? body : JSON.stringify(body),
  );

describe('a caller', () => {
  test.each([
    ['its token', BEARER],
    ['its name and token', basic(CALLER.name, CALLER.token)],
  ])('is answered with %s', async (_, headers) => {
    const { status, text, headers: answered } = await ask(review(), headers);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      kind: 'TokenReview',
      status: { authenticated: true, audiences: ['latchkey'] },
    });
    expect(answered).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(server.script.asked).toEqual(['a.b.c']);
  });

  test('is told no with an error, and never with an HTTP error', async () => {
    for (const outcome of ['Refused', 'Undecided'] as const) {
      server.script.verify = async () => ({ outcome, reason: 'CacheNotProven' });
      const { status, text } = await ask();
      expect(status).toBe(200);
      expect(JSON.parse(text).status).toEqual({
        authenticated: false,
        error: expect.stringMatching(/^the token/),
      });
    }
  });
});

test.each<[string, Record<string, string | string[]>]>([
  ['no credentials', {}],
  ['another token', { authorization: 'Bearer lkc_other' }],
  ['the token of a user', { authorization: 'Bearer eyJ.eyJ.x' }],
  ['another name', basic('web', CALLER.token)],
  ['two headers', { authorization: [BEARER.authorization, BEARER.authorization] }],
  ['a cookie', { cookie: `authorization=${BEARER.authorization}` }],
])('a stranger with %s is a 401 that says how, and asks nothing', async (_, headers) => {
  const { status, headers: answered, text } = await ask(review(), headers);
  expect(status).toBe(401);
  expect([answered['www-authenticate']].flat().join()).toMatch(/Basic .*Bearer /);
  expect(answered['connection']).toBe('close');
  expect(JSON.parse(text)).toEqual({ status: 401, error: 'Unauthorized' });
  expect(server.script.asked).toEqual([]);
});

test('a caller that may have been removed is a 503, not a 401 to remember, and asks nothing', async () => {
  const { authenticate } = server.script;
  server.script.authenticate = () => ({ outcome: 'Undecided' });
  expect(await ask()).toMatchObject({ status: 503, headers: { 'retry-after': '1', connection: 'close' } });
  expect(server.script.asked).toEqual([]);
  server.script.authenticate = authenticate;
});

describe('what is no TokenReview', () => {
  test.each<[number, string, unknown]>([
    [400, 'another version, with a word for whoever set it up', { ...review(), apiVersion: 'authentication.k8s.io/v1beta1' }],
    [400, 'another kind', { ...review(), kind: 'SubjectAccessReview' }],
    [400, 'an empty token', review('')],
    [400, 'a token that is a list', review(['a.b.c'])],
    [400, 'no token', { ...review(), spec: {} }],
    [400, 'no object', '[]'],
    [400, 'no JSON', '{"kind": '],
    [400, 'nothing', ''],
    [400, 'a poisoned prototype', `{"__proto__": {"x": 1}, "kind": "TokenReview"}`],
    [400, 'a whole review in a poisoned prototype', `{"__proto__": ${JSON.stringify(review())}}`],
    [413, 'a megabyte', review('x'.repeat(1024 * 1024))],
    [413, 'a megabyte of audiences', review('a.b.c', Array.from({ length: 100_000 }, () => 'audience'))],
  ])('is a %i: %s', async (status, _, body) => {
    const answer = await ask(body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: 'Status', status: 'Failure', code: status });
    expect(server.script.asked).toEqual([]);
  });

  test('says to the admin which version is spoken', async () => {
    const { text } = await ask({ ...review(), apiVersion: 'authentication.k8s.io/v1beta1' });
    expect(JSON.parse(text).message).toContain('--authentication-token-webhook-version=v1');
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/vnd.kubernetes.protobuf'])(
    'is a 415 as %s',
    async (type) => {
      expect((await server.post('/token-review', { ...BEARER, 'content-type': type }, JSON.stringify(review()))).status).toBe(415);
    },
  );

  test('the longest of our tokens fits', async () => {
    expect((await ask(review('x'.repeat(48 * 1024)))).status).toBe(200);
  });
}); // prettier-ignore

describe('a flood', () => {
  test('beyond what is worked on at once is a 429, and the rest is answered', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    server.script.verify = async () => {
      await released;
      return ACCEPTED;
    };
    const early: Answer[] = [];
    const answers = Array.from({ length: 300 }, () =>
      ask().then((answer) => {
        early.push(answer);
        return answer.status;
      }),
    );
    await waitUntil('the others to be refused', 60_000, () => early.length === 300 - 256);
    for (const answer of early)
      expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    release();
    const statuses = await Promise.all(answers);
    expect(statuses.filter((status) => status === 200)).toHaveLength(256);
    expect((await ask()).status).toBe(200);
  });

  test('of questions whose answers are never read is cut off, and others are answered meanwhile', async () => {
    const flooded = await startVerifierServer({ idleTimeoutMs: 3_000 });
    const body = JSON.stringify(review());
    const head = `POST /identity/token-review HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${BEARER.authorization}`;
    const question = `${head}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const ended = Array.from({ length: 10 }, async () => {
      const { port, ca } = flooded;
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca });
      await once(socket, 'secureConnect');
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => undefined).pause();
      socket.write(question.repeat(20_000));
      await closed;
    });
    await waitUntil('the flood to come', 60_000, () => flooded.script.asked.length > 100);
    const asking = flooded.post('/token-review', { ...JSON_TYPE, ...BEARER }, body);
    expect((await asking).status).toBe(200);
    await Promise.all(ended);
    // Of 200,000: what is not read is not worked on.
    expect(flooded.script.asked.length).toBeLessThan(100_000);
    await flooded.close();
  });
});

test('nothing that was sent is logged', () => {
  const log = server.logged.join('\n');
  for (const secret of [CALLER.token, 'a.b.c']) expect(log).not.toContain(secret);
});
