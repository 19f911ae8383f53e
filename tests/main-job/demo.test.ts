// The README's quickstart, as a newcomer runs it: the demo, a browser, and the command that reads the token.
import { afterEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Agent } from 'undici';
import { startBrowser } from '../../dev/browser.ts';
import { findBinaries } from '../../dev/cluster/binaries.ts';
import { selfSubjectReview } from '../../dev/cluster/self-subject-review.ts';
import { findHelm } from '../../dev/helm/helm.ts';
import { portalCertificate } from '../../dev/demo/portal-certificate.ts';
import { takePictures } from '../../dev/pictures/take.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { isAlive } from '../support/alive.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const STATE = join(root, '.demo/demo.json');
const READY_MS = 180_000;
/** The API server's own cache of 10 s, and the second that the demo gives to the webhook's. */
const CACHED_MS = 13_000;
const run = promisify(execFile);

interface Demo {
  readonly pid: number;
  readonly portal: string;
  readonly portalCA: string;
  readonly kubeconfig: string;
  readonly clusterKubeconfig: string;
  readonly kubectl: string;
  readonly accounts: readonly {
    readonly username: string;
    readonly password: string;
    readonly kubeconfig: string;
  }[];
}

// On a fresh machine they are built first, which takes longer than any demo may.
await findBinaries();
await findHelm();

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

async function startDemo(...args: string[]): Promise<{ demo: Demo; output: () => string }> {
  let output = '';
  const started = spawn('npm', ['run', 'demo', '--', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = started;
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await waitUntil('the demo to be ready', READY_MS, () => {
    if (started.exitCode !== null) throw new Error(`the demo ended:\n${output}`);
    return existsSync(STATE);
  });
  return { demo: JSON.parse(readFileSync(STATE, 'utf8')) as Demo, output: () => output };
}

/** The README's one-liner, in a shell, with nothing but the user's own kubeconfig. */
async function readToken(
  { kubectl }: Demo,
  { username, kubeconfig }: Demo['accounts'][number],
): Promise<string> {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [command] = /^kubectl -n \$USER_NAMESPACE .*$/m.exec(readme) ?? [];
  if (command === undefined) throw new Error('the README does not say how to read the token');
  const env = {
    PATH: `${dirname(kubectl)}:${process.env['PATH']}`,
    KUBECONFIG: kubeconfig,
    // Where kubectl keeps its cache.
    HOME: dirname(kubeconfig),
    USER_NAMESPACE: username,
  };
  return (await run('sh', ['-c', command], { env })).stdout;
}

/** The API server knows the bearer by the token alone, until an admin says no. */
async function expectAccessByToken(demo: Demo, account: Demo['accounts'][number]): Promise<void> {
  const token = await readToken(demo, account);
  const whoAmI = () =>
    run(demo.kubectl, [
      `--kubeconfig=${demo.clusterKubeconfig}`, `--token=${token}`, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}',
    ]).then(({ stdout }) => stdout, (error: unknown) => String(error)); // prettier-ignore
  expect(await whoAmI()).toBe(`latchkey:${account.username}`);
  const patch = ['patch', 'users.latchkey.dev', account.username, '--type=merge', '-p'];
  await run(demo.kubectl, ['--kubeconfig', demo.kubeconfig, ...patch, '{"spec":{"disabled":true}}']);
  // Asked again and again, which kubectl would take half of the machine for.
  const { server, tls } = await loadConnection(demo.clusterKubeconfig);
  const dispatcher = new Agent({ allowH2: false, connect: { ...tls } });
  await waitUntil(
    'the API server to refuse the token',
    CACHED_MS,
    async () => (await selfSubjectReview(server, token, dispatcher)) === undefined,
  );
  await dispatcher.close();
  expect(await whoAmI()).toMatch(/Unauthorized|must be logged in/);
}

async function signIn(
  demo: Demo,
  { username, password }: Demo['accounts'][number],
  javaScriptEnabled: boolean,
): Promise<void> {
  const browser = await startBrowser([await portalCertificate(demo)]);
  try {
    const page = await (await browser.newContext({ javaScriptEnabled })).newPage();
    await page.goto(demo.portal);
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    // The page looks again by itself while the token is being written.
    await page.getByRole('heading', { name: 'Your access is active' }).waitFor({ timeout: 60_000 });
    expect(await page.locator('#command').textContent()).toContain(
      `kubectl -n ${username} get secret access-token`,
    );
  } finally {
    await browser.close();
  }
}

/** Those that the docs show are made in this way. */
async function expectPictures(demo: Demo, account: Demo['accounts'][number]): Promise<void> {
  const folder = temporaryFolder('latchkey-pictures');
  await takePictures(demo, account, folder.path);
  const images = readdirSync(join(root, 'docs/images')).filter((name) => name.endsWith('.png'));
  expect(readdirSync(folder.path).toSorted()).toEqual(images.toSorted());
  folder.remove();
}

describe.each([
  { directory: 'local', javaScript: true },
  { directory: 'openldap', javaScript: false },
])('the demo with the directory $directory', ({ directory, javaScript }) => {
  test(
    'goes from nothing to a token in the terminal, and leaves nothing behind',
    async () => {
      const { demo, output } = await startDemo('--directory', directory);
      const [ada, grace] = demo.accounts;
      if (!ada || !grace) throw new Error('the demo has fewer than two accounts');
      for (const { username, password } of demo.accounts)
        expect(output()).toMatch(new RegExp(`${username} +${password}`));
      expect(output()).toContain(demo.portal);

      expect(await readToken(demo, ada)).toBe('');
      await signIn(demo, ada, javaScript);
      const claims = decodeJwt(await readToken(demo, ada));
      const left = (claims.exp ?? 0) - Date.now() / 1_000;
      expect(claims['preferred_username']).toBe('ada');
      expect(left).toBeGreaterThan(600);
      expect(left).toBeLessThanOrEqual(1_800);

      await expectAccessByToken(demo, ada);
      if (directory === 'local') await expectPictures(demo, grace);

      const strangers = [
        ['-n', 'ada', 'get', 'secret', 'access-token'],
        ['-n', 'grace', 'get', 'secrets'],
        ['get', 'users.latchkey.dev'],
      ];
      for (const args of strangers)
        await expect(run(demo.kubectl, ['--kubeconfig', grace.kubeconfig, ...args])).rejects.toThrow(
          'forbidden',
        );

      const users = await run(demo.kubectl, ['--kubeconfig', demo.kubeconfig, 'get', 'users.latchkey.dev']);
      expect(users.stdout).toMatch(/^NAME +NAMESPACE +PHASE +REASON +SIGNED IN +AGE/);

      const ended = child ? once(child, 'exit') : undefined;
      process.kill(demo.pid, 'SIGTERM');
      await ended;
      expect(isAlive(demo.pid)).toBe(false);
      expect(existsSync(join(root, '.demo'))).toBe(false);
      expect(output()).toContain('nothing is left running');
    },
    READY_MS * 2,
  );
});

test('the demo says how it is called when it is called in another way', async () => {
  await expect(
    run(process.execPath, [join(root, 'dev/demo/main.ts'), '--directory', 'phonebook']),
  ).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--directory local|openldap'),
  });
});
