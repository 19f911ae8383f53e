// The example services of docs/verifying.md, each in both languages and each way, against a Latchkey that runs.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { latchkeyCommand } from '../../dev/latchkey/command.ts';
import { freePort } from '../../dev/ports.ts';
import { startServer, type ServerProcess } from '../../dev/process.ts';
import { runProgram } from '../../dev/run-program.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { untilNoMore } from '../support/until-no-more.ts';

const PASSWORD = 'correct horse battery staple';
/** jose asks for the keys twice in 30 s at the most (its cooldownDuration). */
const KEYS_AGAIN_MS = 90_000;
const DEADLINE_MS = 60_000;
const EXAMPLES = fileURLToPath(new URL('../../docs/examples', import.meta.url));

const folder = temporaryFolder('latchkey-examples');
const goService = join(folder.path, 'service');
const latchkey = await startLatchkey({ accounts: { ada: PASSWORD } });
// The module and its two dependencies take seconds to build.
const build = ['-C', join(EXAMPLES, 'go'), 'build', '-o', goService, '.'];
await runProgram({ command: 'go', args: build, timeoutMs: 300_000 });

const languages = { node: [process.execPath, join(EXAMPLES, 'node/service.mjs')], go: [goService] };
const ways = ['offline', 'introspection', 'token-review'] as const;
type Way = (typeof ways)[number];
const services = Object.keys(languages).flatMap((language) => ways.map((way) => [language, way] as const));
const command = latchkeyCommand(latchkey.cluster.adminKubeconfig);

const running: ServerProcess[] = [];
const ports = new Map<string, number>();
afterAll(async () => {
  await Promise.all(running.map((service) => service.kill()));
  await latchkey.stop();
  folder.remove();
});

beforeAll(async () => {
  const callerToken = (await command('callers', 'add', 'examples', '--namespace=latchkey')).trim();
  await latchkey.createUser('ada', { groups: ['analytics'] });
  await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
  const { portal, caFile } = latchkey.operator;
  for (const [language, way] of services) {
    const port = await freePort();
    ports.set(`${language} ${way}`, port);
    const environment = {
      ISSUER: portal,
      AUDIENCE: 'latchkey',
      VERIFY: way,
      CALLER_TOKEN: callerToken,
      PORT: String(port),
      NODE_EXTRA_CA_CERTS: caFile,
      SSL_CERT_FILE: caFile,
    };
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const program = languages[language as keyof typeof languages];
    const logFile = join(folder.path, `${language}-${way}.log`);
    running.push(startServer({ command: 'env', args: [...variables, ...program], logFile }));
    const answers = () =>
      visit(language, way, '').then(
        ({ status }) => status === 401,
        () => false, // It does not listen yet.
      );
    await waitUntil(`the service ${language} ${way}`, DEADLINE_MS, answers);
  }
});

async function visit(language: string, way: Way, token: string) {
  const { statusCode, body } = await request(`http://127.0.0.1:${ports.get(`${language} ${way}`)}/`, {
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: statusCode, text: await body.text() };
}
const lets = async (language: string, way: Way, token: string) =>
  (await visit(language, way, token)).status === 200;

async function signIn(): Promise<string> {
  expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
  return (await latchkey.untilToken('ada')).token;
}

describe.each(services)('the service in %s that verifies by %s', (language, way) => {
  const prefix = way === 'token-review' ? 'latchkey:' : '';

  test('lets the bearer of a token in, and knows who it is', async () => {
    const { status, text } = await visit(language, way, await signIn());
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ username: `${prefix}ada`, groups: [`${prefix}analytics`] });
  });

  test('lets nobody else in', async () => {
    const [head, body, signature = ''] = (await signIn()).split('.');
    const [first = '', ...others] = signature;
    const changed = [first === 'A' ? 'B' : 'A', ...others].join('');
    for (const token of ['x', 'a.b.c', `${head}.${body}.${changed}`, `${head}.${body}.`])
      expect(await lets(language, way, token)).toBe(false);
  });
});

/** What `latchkey revoke --user` ends is refused at once by those who ask, and by the others when it expires. */
test('a token that is revoked', async () => {
  const token = await signIn();
  for (const [language, way] of services) expect(await lets(language, way, token)).toBe(true);
  await command('revoke', '--user=ada');
  const revoked = performance.now();
  for (const [language, way] of services) {
    if (way === 'offline') expect(await lets(language, way, token)).toBe(true);
    else await untilNoMore(`${language} to refuse by ${way}`, revoked, () => lets(language, way, token));
  }
});

test('the bearer itself can revoke it', async () => {
  const token = await signIn();
  const form = new URLSearchParams({ token }).toString();
  expect(await latchkey.portal('POST', '/revoke', {}, form)).toMatchObject({ status: 200, text: '' });
  await latchkey.untilNoToken('ada');
  expect(await lets('node', 'introspection', token)).toBe(false);
  // Once more, and with what is no token: nobody learns the difference.
  for (const again of [form, 'token=x'])
    expect(await latchkey.portal('POST', '/revoke', {}, again)).toMatchObject({ status: 200, text: '' });
});

test('with every session, the keys are withdrawn, and those who verify offline follow when they see a new one', async () => {
  const token = await signIn();
  await command('revoke', '--all', '--namespace=latchkey');
  await latchkey.untilNoToken('ada');
  const fresh = await signIn();
  for (const language of Object.keys(languages)) {
    await waitUntil(`${language} to read the keys again`, KEYS_AGAIN_MS, () =>
      lets(language, 'offline', fresh),
    );
    expect(await lets(language, 'offline', token)).toBe(false);
  }
});
