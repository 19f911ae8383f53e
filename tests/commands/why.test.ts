// `latchkey why`, as people run it: on a real cluster, with the rights that they have.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { clockAhead } from '../support/clock-ahead.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { startOperator } from '../../dev/latchkey/operator.ts';
import { waitUntil } from '../../dev/wait-until.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const HOUR_MS = 3_600_000;
const DEADLINE_MS = 60_000;
const PASSWORD = 'correct horse battery staple';

const latchkey = await startLatchkey({ accounts: { 'Ada@example.org': PASSWORD, grace: PASSWORD } });
afterAll(() => latchkey.stop());
const { cluster, kubectl } = latchkey;

const whyAs = async (kubeconfig: string, ...args: string[]) =>
  (await run(process.execPath, [MAIN, 'why', ...args, `--kubeconfig=${kubeconfig}`])).stdout.trim();
const why = (...args: string[]) => whyAs(cluster.adminKubeconfig, ...args);

async function signIn(name: string, username = name): Promise<void> {
  expect((await latchkey.signIn(username, PASSWORD)).status).toBe(303);
  await latchkey.untilStatus(name, ({ conditions }) =>
    Boolean(conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')),
  );
}

beforeAll(async () => {
  await latchkey.createUser('ada', { username: 'Ada@example.org', namespace: 'ada-lovelace' });
  await latchkey.createUser('grace');
  for (const name of ['ada', 'grace']) await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
});

describe('as an admin', () => {
  test('of a User that nobody has signed in it says where to', async () => {
    const text = await why('grace');
    expect(text).toMatch(/^grace: has no token \(NotSignedIn\), since 20.*Has never signed in\./);
    expect(text).toContain(latchkey.operator.portal);
    expect(text.split('\n')).toHaveLength(1);
  });

  test('of one with a token it says since when, and how long the token in the Secret lives', async () => {
    await signIn('grace');
    await waitUntil('the Event', DEADLINE_MS, async () =>
      (await why('grace')).includes('SignedIn: Signed in'),
    );
    expect(await why('grace')).toMatch(
      /^grace: has a token, since 20.*Signed in since 20.*lives for another 29 minutes.*ago SignedIn: /,
    );
  });

  test.each([HOUR_MS, -HOUR_MS])(
    'goes by the clock of the API server where that of whoever asks is ahead by %d ms',
    async (aheadMs) => {
      const kubeconfig = `--kubeconfig=${cluster.adminKubeconfig}`;
      const args = [clockAhead(aheadMs), MAIN, 'why', 'grace', '--namespace=latchkey', kubeconfig];
      const { stdout } = await run(process.execPath, args);
      expect(stdout).toMatch(/lives for another (1\d|2\d) minutes/);
      expect(stdout).not.toContain('leads at the moment');
      expect(stdout).not.toContain('hour');
    },
  );

  test.each(['ada', 'Ada@example.org', 'ADA@EXAMPLE.ORG'])('finds by name or username: %s', async (asked) => {
    expect(await why(asked)).toMatch(/^ada, username Ada@example\.org, namespace ada-lovelace: has no token/);
  });

  test('of one that was switched off it says the cause, what to do, and what happened', async () => {
    await latchkey.patch('users.latchkey.dev grace', { spec: { disabled: true } });
    await latchkey.untilNoToken('grace');
    await waitUntil('the Event', DEADLINE_MS, async () => (await why('grace')).includes('TokenRevoked'));
    const text = await why('--user=grace');
    expect(text).toMatch(/^grace: has no token \(SwitchedOff\), since 20/);
    expect(text).toContain('After it is false again, the user has to sign in again.');
    expect(text).toMatch(/ago SessionEnded: .*\(SwitchedOff\)/);
    expect(text).not.toContain('lives for another');
  });

  test('of what ended everybody’s session it says so, although it happened to the TokenPolicy', async () => {
    await signIn('ada', 'ada@example.org');
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: false } });
    await latchkey.untilNoToken('ada-lovelace');
    await waitUntil('the Event', DEADLINE_MS, async () => (await why('ada')).includes('EverySessionEnded'));
    expect(await why('ada')).toMatch(/^ada, .*: has no token \(TokensSwitchedOff\)/);
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: true } });
    await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
    expect(await why('ada')).toMatch(
      /has no token \(NotSignedIn\).*Not signed in \((NewEpoch|TokensSwitchedOff)\)/,
    );
  });

  test('of one that is gone it says what became of it', async () => {
    await kubectl(['delete', 'users.latchkey.dev', 'grace', '--timeout=60s']);
    await waitUntil('the Event', DEADLINE_MS, async () =>
      why('grace').then(
        () => false,
        (error: unknown) => (error as { stderr: string }).stderr.includes('Offboarded'),
      ),
    );
    await expect(why('grace')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^latchkey: There is no User named "grace", .*until 20.*: Offboarded from the namespace grace\./,
      ),
    });
  });

  test('says when no Latchkey leads', async () => {
    await latchkey.operator.stop();
    expect(await why('ada', '--namespace=latchkey')).toContain('No Latchkey leads at the moment');
    latchkey.operator.remove();
    latchkey.operator = await startOperator(cluster);
    await waitUntil(
      'a leader',
      DEADLINE_MS,
      async () => !(await why('ada', '--namespace=latchkey')).includes('leads'),
    );
  });
});

describe('what cannot be answered is refused with what to do', () => {
  test.each([
    'nobody',
    'Nobody Ever',
    '../tokenpolicies/cluster',
    'ada/status',
    '..',
    '%2e%2e',
    'ada?watch=true',
    '\u001B[2Jada',
    'x'.repeat(5_000),
  ])('%#: a User that is not there', async (asked) => {
    await expect(why(asked)).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^latchkey: There is no User named ("\P{Cc}{1,100}"|that), .*kubectl get users/u,
      ),
    });
  });

  test.each([[[]], [['ada', 'grace']], [['ada', '--user=ada']]])('nobody, or too many: %j', async (args) => {
    await expect(why(...args)).rejects.toMatchObject({ code: 2, stdout: '' });
  });

  test('a cluster without Latchkey', async () => {
    const { startScriptedApiServer } = await import('../support/scripted-api-server.ts');
    const { kubernetesClient } = await import('../../src/kubernetes/client.ts');
    const { why: explain } = await import('../../src/commands/why.ts');
    // As an API server without the CRD answers; taking the CRD out of this one would take the Users with it.
    const server = await startScriptedApiServer((_request, answer) => {
      answer.head(404, { 'content-type': 'text/plain' });
      answer.end('404 page not found');
    });
    const client = kubernetesClient(server.connection);
    await expect(
      explain(
        { client, out: () => undefined },
        { asked: 'ada', namespace: 'latchkey', now: () => new Date() },
      ),
    ).rejects.toMatchObject({ code: 'NotInstalled', message: expect.stringContaining('not installed') });
    await client.close();
    await server.close();
  });
});

describe('with fewer rights', () => {
  test('somebody who may read no User is told so', async () => {
    await expect(whyAs(await cluster.clientKubeconfig('stranger'), 'ada')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('You may not read Users. Ask an admin for the verb get'),
    });
    await expect(whyAs(await cluster.clientKubeconfig('stranger'), 'Ada@example.org')).rejects.toMatchObject({
      stderr: expect.stringContaining('you may not list Users'),
    });
  });

  test('somebody who may read Users and nothing else gets what these say, and what is missing', async () => {
    const role = ['create', 'clusterrole', 'reads-users', '--verb=get', '--resource=users.latchkey.dev'];
    await kubectl(role);
    await kubectl([
      'create',
      'clusterrolebinding',
      'reads-users',
      '--clusterrole=reads-users',
      '--user=helper',
    ]);
    const helper = await cluster.clientKubeconfig('helper');
    const text = await whyAs(helper, 'ada');
    expect(text).toMatch(
      /^ada, username Ada@example\.org, namespace ada-lovelace: has no token \(NotSignedIn\)/,
    );
    expect(text).toContain('You may not read Events in the namespace default');
  });
});
