// Everything that is no good token, presented to a real replica: a clear refusal, a count, and nothing else changes.
import { createHmac, createPublicKey, sign as signBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Agent, request } from 'undici';
import { residentBytes } from '../../../bench/process-usage.ts';
import { latchkeyCommand } from '../../../dev/latchkey/command.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { readKeysSecret } from '../../../src/controllers/signing-keys/secret.ts';
import { keysView } from '../../../src/controllers/signing-keys/view.ts';
import { generateKeyPair, type KeyPair } from '../../../src/issuer/key-pair.ts';
import { KeyringError, type Keyring } from '../../../src/issuer/keyring.ts';
import { kubernetesClient } from '../../../src/kubernetes/client.ts';
import { loadConnection } from '../../../src/kubernetes/credentials.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const DEADLINE_MS = 60_000;
const NAMESPACE = 'latchkey';
/** More than there is room for: the last of them have the place of the first. */
const [GROUPS, GROUP, QUESTIONS] = [12, 100, 20];

const latchkey = await startLatchkey({ accounts: { ada: PASSWORD } });
const command = latchkeyCommand(latchkey.cluster.adminKubeconfig);
const client = kubernetesClient(await loadConnection(latchkey.cluster.adminKubeconfig));
const dispatcher = new Agent({ connect: { ca: readFileSync(latchkey.operator.caFile) } });
const stranger = await generateKeyPair();
let authorization: string;
let genuine: string;
let keyring: Keyring;

beforeAll(async () => {
  authorization = `Bearer ${(await command('callers', 'add', 'web', `--namespace=${NAMESPACE}`)).trim()}`;
  await latchkey.createUser('ada');
  genuine = await signIn();
  const { content } = keysView(await readKeysSecret({ client, namespace: NAMESPACE }));
  if (content instanceof KeyringError) throw content;
  keyring = content;
});
afterAll(async () => {
  await dispatcher.close();
  await client.close();
  await latchkey.stop();
});

async function signIn(): Promise<string> {
  await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
  expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
  const { token } = await latchkey.untilToken('ada');
  await waitUntil('the token to be good', DEADLINE_MS, async () => (await reviewed(token)).authenticated);
  return token;
}

async function post(path: string, type: string, body: string) {
  const headers = { authorization, 'content-type': type };
  const answer = await request(latchkey.operator.portal + path, {
    dispatcher,
    method: 'POST',
    headers,
    body,
  });
  return { status: answer.statusCode, text: await answer.body.text() };
}

async function reviewed(token: string) {
  const spec = { token, audiences: ['latchkey'] };
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec };
  const { status, text } = await post('/token-review', 'application/json', JSON.stringify(review));
  expect(status).toBe(200);
  return JSON.parse(text).status as { authenticated: boolean; error?: string };
}

async function introspected(token: string): Promise<string> {
  const form = new URLSearchParams({ token }).toString();
  const { status, text } = await post('/introspect', 'application/x-www-form-urlencoded', form);
  expect(status).toBe(200);
  return text;
}

const refusals = async (reason: string) =>
  (await latchkey.metrics())[`latchkey_token_checks_total{outcome="Refused",reason="${reason}"}`] ?? 0;
/** Everything that is the user's, with its version. */
const everything = async () => [
  (await latchkey.user('ada')).metadata.resourceVersion,
  await latchkey.token('ada'),
];

/** Refused at both endpoints, and revoked by nobody who merely shows it. */
async function expectRefused(token: string, reason: string): Promise<void> {
  const before = await refusals(reason);
  expect(await reviewed(token)).toEqual({ authenticated: false, error: 'the token is not valid' });
  expect(await introspected(token)).toBe('{"active":false}');
  const { status } = await latchkey.portal('POST', '/revoke', {}, new URLSearchParams({ token }).toString());
  // RFC 7009, section 2.2: what is not valid is not there, and that is what the client wants.
  expect(status).toBe(200);
  expect(await refusals(reason)).toBe(before + 3);
}

const base64url = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const header = (change: object = {}) => ({ ...decodeProtectedHeader(genuine), ...change });
const claims = (change: object = {}) => ({ ...decodeJwt(genuine), ...change });

/** With Latchkey's own key, so that the signature is never what fails; or with another one. */
function signed(head: object, payload: object, { privateKey: key }: KeyPair = keyring.active): string {
  const input = `${base64url(head)}.${base64url(payload)}`;
  const signature = signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function hs256(): string {
  const key = createPublicKey({ key: { ...keyring.active.publicJwk }, format: 'jwk' });
  const input = `${base64url(header({ alg: 'HS256' }))}.${base64url(claims())}`;
  const secret = key.export({ type: 'spki', format: 'pem' });
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

/** The numbers are those of RFC 8725's threats. */
test.each<[string, string, () => string]>([
  ['alg none, unsigned (2.1)', 'Malformed', () => `${base64url(header({ alg: 'none' }))}.${base64url(claims())}.`],
  ['alg none, with a good signature (2.1)', 'Malformed', () => signed(header({ alg: 'none' }), claims())],
  ['HS256 with the public key (2.1)', 'Malformed', hs256],
  ['a signature in DER (2.3)', 'Malformed', () => {
    const input = `${base64url(header())}.${base64url(claims())}`;
    return `${input}.${signBytes('sha256', Buffer.from(input), keyring.active.privateKey).toString('base64url')}`;
  }],
  ['a signature of zeros (2.3)', 'BadSignature', () => `${genuine.slice(0, genuine.lastIndexOf('.'))}.${Buffer.alloc(64).toString('base64url')}`],
  ['a stranger’s key under our kid (2.3)', 'BadSignature', () => signed(header(), claims(), stranger)],
  ['a stranger’s key', 'UnknownKey', () => signed(header({ kid: stranger.kid }), claims(), stranger)],
  ['a key in its own header (2.10)', 'Malformed', () => signed(header({ jwk: stranger.publicJwk }), claims(), stranger)],
  ['an address of keys (2.10)', 'Malformed', () => signed(header({ jku: 'https://127.0.0.1:1/jwks' }), claims(), stranger)],
  ['a kid that looks like a path (2.9)', 'UnknownKey', () => signed(header({ kid: '../../../../dev/null' }), claims())],
  ['a kid that looks like SQL (2.9)', 'UnknownKey', () => signed(header({ kid: "' OR '1'='1" }), claims())],
  ['another kind of JWT (2.8)', 'Malformed', () => signed(header({ typ: 'logout+jwt' }), claims())],
  ['a compressed one (2.4)', 'Malformed', () => signed(header({ zip: 'DEF' }), claims())],
  ['two spellings of one token (2.6)', 'Malformed', () => ` ${genuine}`],
  ['JSON in place of it (2.6)', 'Malformed', () => JSON.stringify({ payload: genuine })],
  ['of another issuer (2.7)', 'WrongIssuer', () => signed(header(), claims({ iss: 'https://elsewhere.example.org' }))],
  ['that begins in the future', 'NotYetValid', () => signed(header(), claims({ nbf: inSeconds(60) }))],
  ['that has expired', 'Expired', () => signed(header(), claims({ exp: inSeconds(-1) }))],
  ['of a User that never was, signed with our key', 'UnknownUser', () => signed(header(), claims({ sub: 'uid-nobody', sid: 'nobody' }))],
  ['of another session of hers, signed with our key', 'SessionEnded', () => signed(header(), claims({ sid: 'another' }))],
])('a token %s is refused and counted as %s', async (_, reason, bad) => {
  const before = await everything();
  await expectRefused(bad(), reason);
  expect(await everything()).toEqual(before);
  expect((await reviewed(genuine)).authenticated).toBe(true);
}); // prettier-ignore

test('one whose times lie ahead in every respect is refused until they come', async () => {
  const future = signed(header(), claims({ iat: inSeconds(3_600), nbf: inSeconds(3_600), exp: inSeconds(7_200) }));
  await expectRefused(future, 'NotYetValid');
}); // prettier-ignore

test('one that asks for a megabyte to be read is turned away', async () => {
  const long = `${genuine}${'x'.repeat(1024 * 1024)}`;
  const spec = { token: long };
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec };
  expect((await post('/token-review', 'application/json', JSON.stringify(review))).status).toBe(413);
  const form = new URLSearchParams({ token: long }).toString();
  expect((await post('/introspect', 'application/x-www-form-urlencoded', form)).status).toBe(413);
  expect((await latchkey.metrics())['latchkey_verifier_requests_total{endpoint="token-review",code="413"}']).toBe(1);
}); // prettier-ignore

test('callers by the thousand that never read an answer cost little memory, and others are answered meanwhile', async () => {
  const token = genuine;
  const spec = { token, audiences: ['latchkey'] };
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec });
  const head = `POST /token-review HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n`;
  const question = `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const ca = readFileSync(latchkey.operator.caFile);
  const port = Number(new URL(latchkey.operator.portal).port);
  await reviewed(token);
  const before = residentBytes(latchkey.operator.pid);
  const sockets: TLSSocket[] = [];
  for (let group = 0; group < GROUPS; group += 1) {
    const connected = Array.from({ length: GROUP }, async () => {
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca });
      socket.on('error', () => undefined).pause();
      sockets.push(socket);
      await once(socket, 'secureConnect');
      socket.write(question.repeat(QUESTIONS));
    });
    await Promise.all(connected);
    expect([200, 429]).toContain((await post('/token-review', 'application/json', body)).status);
  }
  await waitUntil('somebody who reads to be answered', DEADLINE_MS, async () => {
    return (await post('/token-review', 'application/json', body)).status === 200;
  });
  const grownMB = (residentBytes(latchkey.operator.pid) - before) / 1e6;
  for (const socket of sockets) socket.destroy();
  // A connection that is open takes some 100 kB.
  expect(grownMB).toBeLessThan(250);
  expect((await latchkey.portal('GET', '/livez')).status).toBe(200);
});

describe('what was good and is no more', () => {
  test('of an older epoch, though the policy is on again', async () => {
    const before = await signInAnew();
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: false } });
    await latchkey.untilStatus('ada', ({ session }) => session === undefined);
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: true } });
    const after = await signIn();
    await expectRefused(before, 'SessionEnded');
    expect((await reviewed(after)).authenticated).toBe(true);
  });

  test('of a User that was deleted and made again under the same name', async () => {
    const before = await signInAnew();
    await latchkey.kubectl(['delete', 'users.latchkey.dev', 'ada', '--timeout=60s']);
    await latchkey.createUser('ada');
    const after = await signIn();
    await expectRefused(before, 'UnknownUser');
    expect((await reviewed(after)).authenticated).toBe(true);
  });

  test('of a key that was withdrawn', async () => {
    const before = await signInAnew();
    await command('revoke', '--all', `--namespace=${NAMESPACE}`);
    const after = await signIn();
    await waitUntil('the key to be gone', DEADLINE_MS, async () => {
      const counted = await refusals('UnknownKey');
      expect((await reviewed(before)).authenticated).toBe(false);
      return (await refusals('UnknownKey')) > counted;
    });
    await expectRefused(before, 'UnknownKey');
    expect((await reviewed(after)).authenticated).toBe(true);
  });

  async function signInAnew(): Promise<string> {
    await command('revoke', '--user=ada');
    return signIn();
  }
});
