// A lock is held by one process, and dies with it.
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { tryLock } from '../../dev/lock.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';

const folder = temporaryFolder('latchkey-lock');
afterAll(() => folder.remove());
const file = join(folder.path, 'lock');

let holder: ChildProcess | undefined;
afterEach(() => void holder?.kill('SIGKILL'));

test('it is refused while another process holds it, and free when that was killed', async () => {
  const module = join(import.meta.dirname, '../../dev/lock.ts');
  const program = `import { tryLock } from '${module}'; tryLock('${file}'); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  holder = child;
  await once(child.stdout, 'data');
  expect(tryLock(file)).toBeUndefined();

  child.kill('SIGKILL');
  await once(child, 'exit');
  const unlock = tryLock(file);
  expect(unlock).toBeDefined();
  expect(tryLock(file)).toBeUndefined();
  unlock?.();
  const again = tryLock(file);
  expect(again).toBeDefined();
  again?.();
});
