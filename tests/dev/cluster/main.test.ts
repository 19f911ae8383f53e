// `npm run cluster`: up, down and status as a person types them.
import { afterAll, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { isAlive } from '../../support/alive.ts';
import { testCluster } from '../../support/cluster.ts';

const existing = await testCluster();
const folder = temporaryFolder('latchkey-command');
// Removes the folder, and so ends the cluster in it, also where this process is killed before `down`.
const watchdog = spawn('sh', ['-c', 'read _; rm -rf "$0"', folder.path], {
  detached: true,
  stdio: ['pipe', 'ignore', 'ignore'],
});
afterAll(async () => {
  await cluster(['down']);
  watchdog.stdin.end();
  folder.remove();
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function cluster(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  onStart?: (child: ChildProcess) => void,
): Promise<Ended> {
  const program = join(import.meta.dirname, '../../../dev/cluster/main.ts');
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder.path,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onStart?.(child);
  const code = new Promise<number | null>((resolve) => void child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

interface State {
  pid: number;
  ready: { folder: string; pids: number[] };
}

function state(): State {
  return JSON.parse(readFileSync(join(folder.path, '.cluster/state.json'), 'utf8'));
}

test.each([{ args: [] }, { args: ['frobnicate'] }, { args: ['up', 'twice'] }, { args: ['up', '--verbose'] }])(
  '$args is answered with the usage',
  async ({ args }) => {
    expect(await cluster(args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^usage: /),
    });
  },
);

test('status and down say that nothing runs, and leave no file', async () => {
  expect(await cluster(['status'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Nothing runs.'),
  });
  expect(await cluster(['down'])).toMatchObject({ code: 0, stderr: 'Nothing runs.\n' });
  expect(readdirSync(folder.path)).toEqual([]);
});

test('up starts one cluster however often it is called, and down leaves no process and no file', async () => {
  const first = await cluster(['up']);
  expect(first).toMatchObject({
    code: 0,
    stdout: `export KUBECONFIG='${folder.path}/.cluster/kubeconfig'\n`,
  });
  const { pid, ready } = state();
  const pids = [pid, ...ready.pids];
  expect(pids.filter(isAlive)).toHaveLength(4);

  const second = await cluster(['up']);
  expect(second).toMatchObject({ code: 0, stdout: first.stdout });
  expect(second.stderr).toContain('runs already');
  expect(state().pid).toBe(pid);
  expect(await cluster(['status'])).toMatchObject({ code: 0, stdout: first.stdout });

  expect(await cluster(['down'])).toMatchObject({ code: 0, stderr: 'Stopped.\n' });
  expect(pids.filter(isAlive)).toEqual([]);
  expect(existsSync(ready.folder)).toBe(false);
  expect(readdirSync(folder.path)).toEqual([]);
});

test('when its supervisor is killed, no server survives it, and down removes what it left', async () => {
  await cluster(['up']);
  const { pid, ready } = state();
  process.kill(pid, 'SIGKILL');
  await waitUntil('the servers to end', 60_000, () => !ready.pids.some(isAlive));
  expect(await cluster(['status'])).toMatchObject({ code: 1 });
  expect(await cluster(['down'])).toMatchObject({ code: 0 });
  expect(existsSync(ready.folder)).toBe(false);
  expect(readdirSync(folder.path)).toEqual([]);
});

test('it ends by itself when its folder is removed, since no down could find it any more', async () => {
  await cluster(['up']);
  const { pid, ready } = state();
  rmSync(join(folder.path, '.cluster'), { recursive: true });
  await waitUntil('the cluster to end', 60_000, () => ![pid, ...ready.pids].some(isAlive));
  expect(existsSync(ready.folder)).toBe(false);
});

test('an interrupted up leaves no process and no file', async () => {
  const interrupted = cluster(['up'], {}, (child) => {
    const file = join(folder.path, '.cluster/state.json');
    void waitUntil('the supervisor to run', 60_000, () => existsSync(file)).then(() => child.kill('SIGINT'));
  });
  expect(await interrupted).toMatchObject({ code: 1, stderr: 'Interrupted: nothing runs.\n' });
  expect(readdirSync(folder.path)).toEqual([]);
});

test('a cluster that does not start says why', async () => {
  const assets = join(folder.path, 'assets');
  mkdirSync(assets);
  const failed = await cluster(['up'], { KUBEBUILDER_ASSETS: assets });
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/^\S+ has no program etcd: .*\n$/) });
});

test('an existing cluster is used only where the caller says so, and is never stopped', async () => {
  const env = { KUBECONFIG: existing.adminKubeconfig };
  const said = { code: 0, stdout: `export KUBECONFIG='${existing.adminKubeconfig}'\n` };
  expect(await cluster(['up', '--existing'], env)).toMatchObject(said);
  expect(await cluster(['up'], { ...env, USE_EXISTING_CLUSTER: 'true' })).toMatchObject(said);
  expect(existsSync(join(folder.path, '.cluster'))).toBe(false);
  expect(await cluster(['down', '--existing'], env)).toMatchObject({ code: 0 });
  expect(await existing.kubectl(['get', '--raw', '/readyz'])).toBe('ok');
});

test('an existing cluster that is not named, or does not answer, is an error that says so', async () => {
  expect(await cluster(['up', '--existing'], { KUBECONFIG: '' })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Set KUBECONFIG'),
  });
  expect(await cluster(['up', '--existing'], { KUBECONFIG: '/nonexistent' })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('/nonexistent'),
  });
});
