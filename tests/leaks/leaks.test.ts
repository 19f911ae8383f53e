// Promise 6: a Latchkey that works, is misused and fails in every way leaves no secret in anything that people read.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Answer } from '../../dev/ask-once.ts';
import { PEOPLE_DN } from '../../dev/directories/entries.ts';
import { startOpenLdap } from '../../dev/directories/openldap.ts';
import { writeSecret } from '../../dev/latchkey/install.ts';
import { startOperator } from '../../dev/latchkey/operator.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { hashPassword } from '../../src/directory/local/password-hash.ts';
import { cheapStarts } from '../support/cheap-starts.ts';
import { cookieOf, startLatchkey } from '../support/latchkey.ts';
import { leaks, spellings, type Secret } from './search.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PEOPLE = ['ada', 'grace', 'linus'];
const DEADLINE_MS = 60_000;

/** Unlike anything else, and with characters that every encoding writes in another way. */
const madeUp = (kind: string) => `${kind} "+/&ü ${randomBytes(12).toString('hex')}`;
const PASSWORD = madeUp('right');
const WRONG_PASSWORD = madeUp('wrong');
const WRONG_BIND_PASSWORD = madeUp('bind');
const STRAY = madeUp('stray');

const directory = await startOpenLdap({
  users: PEOPLE.map((uid) => ({ uid, cn: uid, mail: `${uid}@example.org`, password: PASSWORD })),
});
const latchkey = await startLatchkey();
const folder = temporaryFolder('latchkey-leaks');
afterAll(async () => {
  await latchkey.stop();
  await directory.stop();
  folder.remove();
});
const { cluster, kubectl } = latchkey;

/** The directory takes its own away with it. */
const caFile = join(folder.path, 'directory-ca.crt');
copyFileSync(directory.caFile, caFile);

const FLAGS = [
  '--directory=ldap',
  `--ldap-url=${directory.ldapUrl}`,
  '--ldap-start-tls',
  `--ldap-ca-file=${caFile}`,
  `--ldap-bind-dn=${directory.bindDn}`,
  `--ldap-base-dn=${PEOPLE_DN}`,
  '--sign-in-attempts-per-user=1000',
  '--sign-in-attempts-per-address=1000',
  '--log-level=debug',
  '--lease-duration=4s',
];

const secrets: Secret[] = [
  { kind: 'a password', value: PASSWORD },
  { kind: 'a wrong password', value: WRONG_PASSWORD },
  { kind: 'the bind password', value: directory.bindPassword },
  { kind: 'a wrong bind password', value: WRONG_BIND_PASSWORD },
  { kind: 'a stray secret', value: STRAY },
];
/** What people read, by where they read it. */
const surfaces = new Map<string, string>();

function note(surface: string, content: string): void {
  surfaces.set(surface, `${surfaces.get(surface) ?? ''}${content}\n`);
}

/** A cookie that is set is for the browser alone; everything else of an answer may be shown. */
function noteAnswer(what: string, { status, headers, text: body }: Answer): void {
  const { 'set-cookie': _, ...shown } = headers;
  note(`answer: ${what}`, `${status} ${JSON.stringify(shown)} ${body}`);
}

async function ask(what: string, ...request: Parameters<typeof latchkey.portal>): Promise<Answer> {
  const answer = await latchkey.portal(...request);
  noteAnswer(what, answer);
  return answer;
}

async function signIn(name: string, password = PASSWORD): Promise<Answer> {
  const answer = await latchkey.signIn(name, password);
  noteAnswer(`sign-in of ${name}: ${answer.status}`, answer);
  return answer;
}

/** What a command of the program prints, whether or not it succeeds; what it needs of the environment, and no more. */
async function run(args: readonly string[], input = '', env: Record<string, string> = {}): Promise<string> {
  const output = await new Promise<string>((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { ...cheapStarts(), ...env }, timeout: 60_000 },
      (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`),
    );
    child.stdin?.end(input);
  });
  return output;
}

const admin = `--kubeconfig=${cluster.adminKubeconfig}`;
const command = async (...args: string[]) => {
  const output = await run([...args, admin, '--namespace=latchkey']);
  note(`command: ${args[0]}`, output);
  return output;
};

async function tokenOf(namespace: string): Promise<string> {
  const { token } = await latchkey.untilToken(namespace);
  keepToken(token, 'a token', 'a signature');
  return token;
}

let latest = '';
function keepToken(token: string, ofPayload: string, ofSignature: string): void {
  latest = token;
  const [, payload = '', signature = ''] = token.split('.');
  // Its head says which key signed it, as every token of that key does.
  secrets.push({ kind: ofPayload, value: payload }, { kind: ofSignature, value: signature });
}

async function keepCookie(answer: Answer): Promise<string> {
  const cookie = cookieOf(answer);
  secrets.push({ kind: 'a cookie', value: cookie.split('.').at(-1) ?? '' });
  return cookie;
}

/** The private keys, as the Secret has them now. */
async function keepKeys(): Promise<void> {
  const output = await kubectl(['-n', 'latchkey', 'get', 'secret', 'latchkey-signing-keys', '-o', 'json']);
  for (const value of Object.values((JSON.parse(output) as { data: Record<string, string> }).data))
    for (const [, part = ''] of Buffer.from(value, 'base64')
      .toString()
      .matchAll(/"d":"([\w-]+)"/g))
      secrets.push({ kind: 'a private key', value: part });
}

/** The keys of the certificate that it makes itself, and of the authority that signs it. */
async function keepServingKeys(): Promise<Record<string, string>> {
  const output = await kubectl(['-n', 'latchkey', 'get', 'secret', 'latchkey-tls', '-o', 'json']);
  const { data } = JSON.parse(output) as { data: Record<string, string> };
  for (const name of ['tls.key', 'ca.key']) {
    const pem = Buffer.from(data[name] ?? '', 'base64').toString();
    secrets.push({ kind: `${name} of its own making`, value: pem.split('\n').slice(1, -2).join('') });
  }
  return data;
}

/** What the operator holds itself: its key for TLS, and its token for the API server. */
function keepOwn(ownCertificate: boolean): void {
  const own = join(latchkey.operator.logFile, '..');
  if (!ownCertificate) {
    const pem = readFileSync(join(own, 'pki', 'portal.key'), 'utf8');
    secrets.push({ kind: 'the key for TLS', value: pem.split('\n').slice(1, -2).join('') });
  }
  const { users } = JSON.parse(readFileSync(join(own, 'operator.kubeconfig'), 'utf8')) as {
    users: [{ user: { token: string } }];
  };
  secrets.push({ kind: 'the operator’s own token', value: users[0].user.token.split('.')[2] ?? '' });
}

async function restart(flags: readonly string[], ownCertificate = false): Promise<void> {
  await latchkey.operator.stop();
  note('log', latchkey.operator.log());
  latchkey.operator.remove();
  latchkey.operator = await startOperator(cluster, { flags, ownCertificate });
  keepOwn(ownCertificate);
}

/** Bytes as they are, to the HTTPS port. */
async function raw(bytes: string): Promise<void> {
  const { port, hostname } = new URL(latchkey.operator.portal);
  const socket = connect({ host: hostname, port: Number(port), ca: readFileSync(latchkey.operator.caFile) });
  socket.on('error', () => undefined);
  socket.write(bytes);
  note('answer: raw', await text(socket).catch(() => ''));
}

beforeAll(async () => {
  await writeSecret(cluster, 'latchkey-ldap-bind', { password: directory.bindPassword });
  await restart(FLAGS);
  await keepKeys();
  await ordinaryDay();
  await garbage();
  await callersAsk();
  await tokensOfKubernetes();
  await directoryFails();
  await othersMeddle();
  await commandsFail();
  await apiServerFails();
  await keysAreDamaged();
  await ownCertificateIsDamaged();
  await collect();
  await isRemoved();
}, 600_000);

async function ordinaryDay(): Promise<void> {
  for (const name of PEOPLE) await latchkey.createUser(name);
  for (const name of PEOPLE) await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
  for (const name of ['ada', 'grace']) {
    const cookie = await keepCookie(await signIn(name));
    await tokenOf(name);
    await ask('the page of somebody signed in', 'GET', '/', { cookie });
  }
  const before = await latchkey.token('ada');
  await latchkey.patch('users.latchkey.dev ada', { spec: { groups: ['engines'] } });
  await waitUntil('a refresh', DEADLINE_MS, async () => (await latchkey.token('ada')) !== before);
  await tokenOf('ada');
  await latchkey.patch('users.latchkey.dev grace', { spec: { disabled: true } });
  await latchkey.untilNoToken('grace');
  await signIn('grace');
  const cookie = await keepCookie(await signIn('linus'));
  await tokenOf('linus');
  await ask('ending access', 'POST', '/end-access', { cookie }, '');
  await latchkey.untilNoToken('linus');
  await ask('the page after it', 'GET', '/', { cookie });
}

async function garbage(): Promise<void> {
  const token = await tokenOf('ada');
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const caller = (await run(['callers', 'add', '--name=service', admin, '--namespace=latchkey']))
    .trim()
    .split('\n');
  const callerToken = caller.find((line) => line.startsWith('lkc_')) ?? '';
  expect(callerToken).not.toBe('');
  secrets.push({ kind: 'the token of a caller', value: callerToken });
  const bearer = { authorization: `Bearer ${callerToken}`, 'content-type': 'application/json' };
  const review = (value: string) =>
    JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: value } });
  await waitUntil(
    'the caller to be known',
    DEADLINE_MS,
    async () => (await latchkey.portal('POST', '/token-review', bearer, review(token))).status === 200,
  );

  await signIn('ada', WRONG_PASSWORD);
  await signIn(PASSWORD, WRONG_PASSWORD);
  await signIn(token, token);
  const requests: Parameters<typeof latchkey.portal>[] = [
    ['GET', `/${token}`],
    ['GET', `/${encodeURIComponent(PASSWORD)}/${callerToken}`],
    ['GET', `/sign-in?notice=${token}&password=${encodeURIComponent(PASSWORD)}`],
    ['GET', `/livez?token=${token}`],
    ['GET', '/', { cookie: `__Host-latchkey=ada.${'x'.repeat(43)}; other=${encodeURIComponent(STRAY)}` }],
    ['GET', '/', { cookie: `__Host-latchkey=${token}` }],
    ['GET', '/', { 'x-forwarded-for': token, referer: `https://x/?${token}`, 'user-agent': token }],
    ['POST', '/sign-in', { origin: `https://${callerToken}.example.org` }, `password=${encodeURIComponent(STRAY)}`],
    ['POST', '/sign-in', { 'content-type': 'application/json' }, JSON.stringify({ password: PASSWORD })],
    ['POST', '/sign-in', form, `username=ada&password=${encodeURIComponent(STRAY)}&${'x'.repeat(20_000)}`],
    ['POST', '/sign-in', form, `username[]=${encodeURIComponent(STRAY)}&password[]=${token}`],
    ['POST', '/sign-in', form, `%zz=${token}&username=%ff&password=%`],
    ['POST', '/sign-in', { 'content-type': `text/${token}` }, token],
    ['POST', `/revoke`, form, `token=${token.slice(0, -5)}wrong`],
    ['POST', `/revoke`, form, `token=${encodeURIComponent(STRAY)}&token=${token}`],
    ['POST', '/token-review', { ...bearer, authorization: `Bearer ${STRAY.replaceAll(/[^\w]/g, '')}` }, review(token)],
    ['POST', '/token-review', bearer, `{"kind":"TokenReview","spec":{"token":"${token}`],
    ['POST', '/token-review', bearer, review(`${token}x`)],
    ['POST', '/token-review', bearer, review(STRAY)],
    ['POST', '/token-review', bearer, JSON.stringify({ kind: token, spec: { token: [token], audiences: token } })],
    ['POST', '/introspect', { ...form, authorization: `Basic ${Buffer.from(`service:${STRAY}`).toString('base64')}` }, `token=${token}`],
    ['POST', '/introspect', { ...form, authorization: `Bearer ${callerToken}` }, `token=${token}&token=${token}`],
    ['POST', '/introspect', { ...form, authorization: `Bearer ${callerToken}` }, `token=${encodeURIComponent(STRAY)}`],
  ]; // prettier-ignore
  for (const [index, request] of requests.entries()) await ask(`garbage ${index}`, ...request);
  await raw(`GET /${token} HTTP/9.9\r\nCookie: ${callerToken}\r\n\r\n`);
  await raw(`GET / HTTP/1.1\r\nHost: x\r\nContent-Length: ${token}\r\n\r\n`);
  await raw(`GET / HTTP/1.1\r\nHost: ${token}.example.org\r\nConnection: close\r\n\r\n`);
  await raw(`GET / HTTP/1.1\r\nX-${STRAY}\r\nHost: x\r\n\r\n`);
  await raw(`POST /sign-in HTTP/1.1\r\nHost: x\r\nX: ${token.repeat(40)}\r\n\r\n`);
}

/** As a service asks, and as one does that has half a token, or none any more. */
async function callersAsk(): Promise<void> {
  const added = await run(['callers', 'add', '--name=gateway', admin, '--namespace=latchkey']);
  const token = added.split('\n').find((line) => line.startsWith('lkc_')) ?? '';
  expect(token).not.toBe('');
  secrets.push({ kind: 'the token of a caller', value: token });
  const output = await kubectl(['-n', 'latchkey', 'get', 'secret', 'latchkey-callers', '-o', 'json']);
  for (const digest of Object.values((JSON.parse(output) as { data: Record<string, string> }).data))
    secrets.push({
      kind: 'the hash of the token of a caller',
      value: Buffer.from(digest, 'base64').toString(),
    });

  const asked = await tokenOf('ada');
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const basic = (password: string) =>
    `Basic ${Buffer.from(`gateway:${encodeURIComponent(password)}`).toString('base64')}`;
  const introspect = (authorization: string) =>
    latchkey.portal('POST', '/introspect', { ...form, authorization }, `token=${asked}`);
  await waitUntil('the caller to be known', DEADLINE_MS, async () => {
    const { status, text: body } = await introspect(`Bearer ${token}`);
    return status === 200 && body.includes('"active":true');
  });
  for (const authorization of [
    `Bearer ${token}`,
    basic(token),
    basic(token.slice(0, -2)),
    `Bearer ${token}x`,
  ]) {
    noteAnswer('an introspection', await introspect(authorization));
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: asked } };
    const json = { 'content-type': 'application/json', authorization };
    await ask('a review', 'POST', '/token-review', json, JSON.stringify(review));
    // Who has mistaken its own token for that of a user.
    const own = { ...review, spec: { token } };
    await ask('a review of its own token', 'POST', '/token-review', json, JSON.stringify(own));
  }
  await command('callers', 'list');
  await command('callers', 'remove', '--name=gateway');
  noteAnswer('an introspection by who is out', await introspect(`Bearer ${token}`));
}

/** With the API server's own signature, and verified by nobody but it. */
async function tokensOfKubernetes(): Promise<void> {
  const spec = (tokenSource: string) => ({
    spec: { tokenSource, accessToken: { ttl: '600s', minRemaining: '300s', audiences: ['latchkey'] } },
  });
  await latchkey.patch('tokenpolicy cluster', spec('Kubernetes'));
  const isGiven = async (isWanted: boolean) =>
    waitUntil('a token of the other kind', DEADLINE_MS, async () => {
      const { token, claims } = await latchkey.untilToken('ada');
      return claims.sub?.startsWith('system:serviceaccount:') === isWanted && token;
    });
  const given = await isGiven(true);
  keepToken(given, 'a token of Kubernetes', 'a signature of Kubernetes');
  await command('why', 'ada');
  await ask(
    'showing one',
    'POST',
    '/revoke',
    { 'content-type': 'application/x-www-form-urlencoded' },
    `token=${given}`,
  );
  await signIn(given, given);
  await latchkey.patch('users.latchkey.dev ada', { spec: { disabled: true } });
  await latchkey.untilNoToken('ada');
  await latchkey.patch('users.latchkey.dev ada', { spec: { disabled: false } });
  await latchkey.patch('tokenpolicy cluster', spec('Latchkey'));
  await waitUntil('ada to be signed in again', DEADLINE_MS, async () => (await signIn('ada')).status === 303);
  await isGiven(false);
  await tokenOf('ada');
}

async function directoryFails(): Promise<void> {
  await writeSecret(cluster, 'latchkey-ldap-bind', { password: WRONG_BIND_PASSWORD });
  await waitUntil(
    'the wrong bind password to count',
    DEADLINE_MS,
    async () => (await signIn('linus')).status === 503,
  );
  await kubectl(['-n', 'latchkey', 'delete', 'secret', 'latchkey-ldap-bind']);
  await signIn('linus');
  await writeSecret(cluster, 'latchkey-ldap-bind', { password: directory.bindPassword });
  await directory.stop();
  await waitUntil(
    'the directory to be missed',
    DEADLINE_MS,
    async () => (await signIn('linus')).status === 503,
  );
}

/** Somebody who may write into a user's namespace, and quotes what they write at the operator. */
async function othersMeddle(): Promise<void> {
  const secret = 'secret access-token -n ada';
  for (const patch of [
    { stringData: { AUTH_TOKEN: STRAY, extra: STRAY } },
    { metadata: { annotations: { 'latchkey.dev/expires-at': STRAY, 'latchkey.dev/user': STRAY } } },
    { immutable: true, metadata: { finalizers: ['example.org/mine'] }, stringData: { AUTH_TOKEN: STRAY } },
  ]) {
    await latchkey.patch(secret, patch);
    await waitUntil('the Secret to be put right', DEADLINE_MS, async () => {
      const token = await latchkey.token('ada').catch(() => undefined);
      return token !== undefined && token.split('.').length === 3;
    });
    await tokenOf('ada');
  }
}

async function commandsFail(): Promise<void> {
  const broken = join(folder.path, 'broken');
  writeFileSync(broken, `{"apiVersion": v1, users: [{token: ${JSON.stringify(STRAY)}`);
  const settings = join(folder.path, 'settings.yaml');
  writeFileSync(settings, `externalUrl: ok\nbindPassword: ${JSON.stringify(PASSWORD)}\n`);
  const token = await tokenOf('ada');
  for (const [args, input, env] of [
    [['serve', `--ldap-bind-password=${PASSWORD}`]],
    [['serve', PASSWORD]],
    [['serve', `--config=${broken}`]],
    [['serve', `--config=${settings}`]],
    [['serve', `--listen-address=${STRAY}`, `--trusted-proxies=${STRAY}`, `--log-level=${STRAY}`]],
    [['serve'], '', { LATCHKEY_LDAP_URL: STRAY, LATCHKEY_LISTEN_ADDRESS: PASSWORD }],
    [['serve', '--external-url=https://x.example.org', '--issuer-url=https://x.example.org', `--kubeconfig=${broken}`, `--tls-cert-file=${broken}`, `--tls-key-file=${broken}`]],
    [['why', token.slice(-30), PASSWORD, admin]],
    [['why', `--user=ada`, `--kubeconfig=${broken}`]],
    [['revoke', `--user=ada`, token, admin]],
    [['license', 'show', `--file=${broken}`]],
    [['accounts', 'hash', '--username=ada', PASSWORD], PASSWORD],
    [['accounts', 'hash'], PASSWORD],
    [['callers', 'add', '--name=service', '--namespace=latchkey', admin]],
    [['callers', 'remove', '--name=nobody', STRAY, admin]],
  ] as [string[], string?, Record<string, string>?][]) {
    const output = await run(args, input, env);
    expect(output.trim()).not.toBe('');
    note(`command: ${args[0]} with wrong settings`, output);
  } // prettier-ignore
  await command('keys', 'list');
  await command('keys', 'rotate');
  await command('callers', 'list');
  await command('why', 'ada');
  await command('revoke', '--user=ada');
  const hash = await hashPassword(PASSWORD);
  secrets.push({ kind: 'the hash of a password', value: hash.split('$').at(-1) ?? hash });
}

async function apiServerFails(): Promise<void> {
  await cluster.stopApiServer();
  await waitUntil('the API server to be missed', DEADLINE_MS, async () => {
    const answer = await ask('readiness without the API server', 'GET', '/readyz');
    await signIn('ada');
    return answer.status === 503;
  });
  await ask('a page without the API server', 'GET', '/', { cookie: `__Host-latchkey=ada.${'y'.repeat(43)}` });
  note('command: without the API server', await run(['why', 'ada', admin]));
  note('metrics', await (await fetch(latchkey.operator.metricsUrl)).text());
  await cluster.restartApiServer();
}

/** Half a keyring, with a private key in what is left of it. */
async function keysAreDamaged(): Promise<void> {
  const path = ['-n', 'latchkey', 'get', 'secret', 'latchkey-signing-keys', '-o', 'json'];
  const { data } = JSON.parse(await kubectl(path)) as { data: Record<string, string> };
  await keepKeys();
  for (const damage of [
    (document: string) => document.slice(0, document.length - 40),
    (document: string) => document.replace('"crv":"P-256"', `"crv":${JSON.stringify(STRAY)}`),
    (document: string) => document.replaceAll(/"x":"../g, '"x":"AA'),
  ]) {
    const [[key, value] = ['', '']] = Object.entries(data);
    const broken = damage(Buffer.from(value, 'base64').toString());
    await latchkey.patch('secret latchkey-signing-keys -n latchkey', { stringData: { [key]: broken } });
    await command('keys', 'list');
    await command('keys', 'rotate');
  }
  await restart(FLAGS);
  await waitUntil('the damage to be said', DEADLINE_MS, () =>
    latchkey.operator.log().includes('signing keys cannot be used'),
  );
  await command('revoke', '--all');
  await keepKeys();
}

/** With half a key in what is left of it. */
async function ownCertificateIsDamaged(): Promise<void> {
  await restart(FLAGS, true);
  const data = await keepServingKeys();
  const key = Buffer.from(data['tls.key'] ?? '', 'base64').toString();
  for (const broken of [
    key.slice(0, key.length - 60),
    `${key}${STRAY}`.replace('PRIVATE', 'PUBLIC'),
    STRAY,
  ]) {
    const before = latchkey.operator.log().split('the old certificate stays in use').length;
    await latchkey.patch('secret latchkey-tls -n latchkey', { stringData: { 'tls.key': broken } });
    await waitUntil(
      'the damage to be said',
      DEADLINE_MS,
      () => latchkey.operator.log().split('the old certificate stays in use').length > before,
    );
  }
  await kubectl(['-n', 'latchkey', 'delete', 'secret', 'latchkey-tls']);
  await waitUntil('a new one', DEADLINE_MS, async () =>
    (await kubectl(['-n', 'latchkey', 'get', 'secrets', '-o', 'name'])).includes('latchkey-tls'),
  );
  await keepServingKeys();
}

/** Every command that takes something away, while there are tokens, and with secrets where names belong. */
async function isRemoved(): Promise<void> {
  // Nobody can sign in any more; the last one that there was is a token all the same.
  const token = latest;
  await command('confirm', token);
  await command('confirm', STRAY);
  await command('release', token);
  await command('why', token);
  await command('release');
  await kubectl(['delete', 'crd', 'tokenpolicies.latchkey.dev', '--wait=false']);
  const id = await waitUntil('a hold', DEADLINE_MS, async () => {
    const policy = await kubectl(['get', 'tokenpolicy', 'cluster', '-o', 'json']);
    const { status } = JSON.parse(policy) as { status: { holds?: { id: string }[] } };
    return status.holds?.[0]?.id;
  });
  expect(await command('why', 'ada')).toContain('ada: ');
  expect(await command('confirm', id)).toContain('is confirmed');
  await kubectl(['wait', '--for=delete', 'crd/tokenpolicies.latchkey.dev', '--timeout=60s']);
  await command('why', 'ada');
  await kubectl(['delete', 'crd', 'users.latchkey.dev', '--wait=false']);
  expect(await command('release')).toContain('3 of 3 Users are released');
  await command('why', token);
  expect(await command('uninstall', '--delete-namespaces')).toContain('Secrets access-token are gone');
  await command('uninstall', `--delete-namespaces=${STRAY}`);
  note('log', latchkey.operator.log());
}

async function collect(): Promise<void> {
  await waitUntil('the last Event', DEADLINE_MS, async () =>
    (await kubectl(['get', 'events.events.k8s.io', '-A', '-o', 'name'])).includes('/cluster.'),
  );
  note('log', latchkey.operator.log());
  for (const resource of [
    'events.events.k8s.io',
    'users.latchkey.dev',
    'tokenpolicies.latchkey.dev',
    'namespaces',
    'rolebindings',
    'leases',
  ])
    note(
      `objects: ${resource}`,
      await kubectl(['get', resource, '-A', '-o', 'json', '--show-managed-fields=true']),
    );
  note('described', await kubectl(['describe', 'users.latchkey.dev,tokenpolicies.latchkey.dev']));
}

/** Said in a failure: where, and what kind; never the secret. */
const found = (where: ReadonlyMap<string, string>) =>
  leaks(where, secrets).map(({ kind, surface }) => `${kind} in ${surface}`);

test('everything was there to be seen: the operator did all of it, and said so', () => {
  const log = surfaces.get('log') ?? '';
  for (const event of ['TokenIssued', 'TokenRevoked', 'SessionEnded', 'SignIn', 'EverySessionEnded'])
    expect({ event, told: log.includes(`"event":"${event}"`) }).toEqual({ event, told: true });
  for (const outcome of ['Refused', 'Unavailable', 'NoAccess', 'SignedIn'])
    expect({ outcome, told: log.includes(`"outcome":"${outcome}"`) }).toEqual({ outcome, told: true });
  expect(surfaces.get('objects: events.events.k8s.io')?.includes('TokenRevoked')).toBe(true);
  expect(surfaces.get('metrics')?.includes('latchkey_tokens_issued_total')).toBe(true);
  const kinds = new Set(secrets.map(({ kind }) => kind));
  expect(kinds.size).toBe(18);
  for (const { value } of secrets) expect(value.length).toBeGreaterThan(16);
});

test('no log line, Event, object, metric, page or output of a command holds a secret', () => {
  expect(found(surfaces)).toEqual([]);
});

test('and one that did would have been found: each kind of secret, in each place, in each spelling, cut off or whole', () => {
  const kinds = new Map(secrets.map((secret) => [secret.kind, secret]));
  for (const [surface, content] of surfaces) {
    const middle = Math.floor(content.length / 2);
    for (const { kind, value } of kinds.values())
      for (const spelling of spellings(value)) {
        const planted = content.slice(0, middle) + spelling + content.slice(middle);
        expect(leaks(new Map([[surface, planted]]), [{ kind, value }])).toContainEqual({ kind, surface });
      }
  }
  for (const { kind, value } of kinds.values()) {
    if (value.length < 60) continue;
    const quoted = `cannot read: ${value.slice(0, 55)}…`;
    expect(found(new Map([['a message', quoted]]))).toContain(`${kind} in a message`);
  }
});

test('and so would one that the operator has never seen before, by its looks', () => {
  for (const stranger of [
    'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl',
    '-----BEGIN EC PRIVATE KEY-----',
    `{\\"kty\\":\\"EC\\",\\"d\\":\\"${'A'.repeat(43)}\\"}`,
    `__Host-latchkey=ada.${'A'.repeat(43)}`,
    `lkc_${'A'.repeat(43)}`,
  ])
    expect(leaks(new Map([['log', `{"msg":"${stranger}"}`]]), [])).toHaveLength(1);
});

test('and an Event that holds one is read, too', async () => {
  const secret = secrets.find(({ kind }) => kind === 'a signature');
  await kubectl(
    ['create', '-f', '-'],
    JSON.stringify({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'planted', namespace: 'default' },
      eventTime: new Date().toISOString().replace('Z', '000Z'),
      type: 'Normal',
      reason: 'Planted',
      action: 'Plant',
      note: `token ${secret?.value}`,
      reportingController: 'tests.latchkey.dev/leaks',
      reportingInstance: 'tests',
      regarding: { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', name: 'ada' },
    }),
  );
  const events = await kubectl(['get', 'events.events.k8s.io', '-A', '-o', 'json']);
  expect(found(new Map([['Events', events]]))).toEqual(['a signature in Events']);
});
