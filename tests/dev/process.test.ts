// No server outlives the process that started it.
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../../dev/process.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { isAlive } from '../support/alive.ts';

const folder = temporaryFolder('latchkey-process');
afterAll(() => folder.remove());

const PROGRAM = `
  import { startServer } from '${join(import.meta.dirname, '../../dev/process.ts')}';
  const server = startServer({ command: 'sleep', args: ['600'], logFile: '${folder.path}/sleep.log' });
  console.log(server.pid);
  process.once('SIGTERM', () => process.exit(0));
  process.once('SIGUSR2', () => { throw new Error('uncaught'); });
  setInterval(() => {}, 1000);
`;

let parent: ChildProcess | undefined;
afterEach(() => void parent?.kill('SIGKILL'));

test.each(['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGUSR2'] as const)(
  'the server dies with a parent that %s ends',
  async (signal) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    parent = child;
    const [line] = await once(child.stdout, 'data');
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    child.kill(signal);
    await waitUntil('the server to end', 60_000, () => !isAlive(pid));
  },
);

test('a server that ends by itself is an error with the end of its log', async () => {
  const server = startServer({
    command: 'sh',
    args: ['-c', 'echo the reason >&2; exit 3'],
    logFile: join(folder.path, 'sh.log'),
  });
  expect(await server.ended).toBe('exit code 3');
  expect(() => server.assertAlive()).toThrow('sh ended (exit code 3). Its last lines:\nthe reason');
});

test('a server that is killed is gone when that returns', async () => {
  const server = startServer({ command: 'sleep', args: ['600'], logFile: join(folder.path, 'killed.log') });
  await server.kill();
  expect(isAlive(server.pid)).toBe(false);
});

test('the end of its log is told, and no more of it', () => {
  const logFile = join(folder.path, 'long.log');
  writeFileSync(logFile, `${'first '.repeat(10_000)}\n${'later '.repeat(10_000)}\nlast\n`);
  const server = startServer({ command: 'true', args: [], logFile });
  expect(server.lastLines()).toMatch(/^first [^]*\nlater [^]*\nlast$/);
  expect(server.lastLines().length).toBeLessThan(2_100);
  writeFileSync(logFile, 'line\n'.repeat(1_000));
  expect(server.lastLines().split('\n')).toHaveLength(20);
});
