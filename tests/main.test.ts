// The program itself, before it is any command.
import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

test('a Node that is too old is told so, rather than failing somewhere', async () => {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const old = Number.parseInt(engines.node.slice('>='.length), 10) - 1;
  // Node lets no flag say so.
  const preload = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${old}.9.0'}})`;
  await expect(run(process.execPath, ['--import', preload, MAIN, '--help'])).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: `latchkey: This is Node ${old}.9.0. Install Node ${old + 1} or newer.\n`,
  });
  expect((await run(process.execPath, [MAIN, '--help'])).stdout).toContain('Usage: latchkey');
});
