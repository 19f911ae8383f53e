// What a process has started and made goes with it, however much that is, and without a warning.
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const DEV = join(import.meta.dirname, '../../dev');

/** @returns the lines that it prints; its exit is not waited for by anything that it has made */
function run(program: string): { readonly lines: readonly string[]; readonly errors: string } {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { lines: stdout.trimEnd().split('\n'), errors: stderr };
}

test('twenty folders go when the process exits, and nobody is warned of a leak', () => {
  const { lines, errors } = run(`
    import { temporaryFolder } from '${DEV}/temporary-folder.ts';
    for (let n = 0; n < 20; n++) console.log(temporaryFolder('latchkey-exit').path);
  `);
  expect(errors).toBe('');
  expect(lines).toHaveLength(20);
  expect(lines.filter((path) => existsSync(path))).toEqual([]);
});

test('the last is undone first, and what was taken back is not undone', () => {
  const { lines } = run(`
    import { atExit } from '${DEV}/at-exit.ts';
    atExit(() => console.log('folder'));
    const isGone = atExit(() => console.log('taken back'));
    atExit(() => console.log('server'));
    isGone();
    isGone();
  `);
  expect(lines).toEqual(['server', 'folder']);
});
