// The last line of a run is what a script believes, so it must not say that all is well when it is not.
import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../dev/temporary-folder.ts';

const folder = temporaryFolder('latchkey-summary');
afterAll(() => folder.remove());
const ROOT = join(import.meta.dirname, '../..');

function run(name: string, ...suites: string[]): { code: number | null; lastLine: string | undefined } {
  const rootDir = join(folder.path, name);
  mkdirSync(rootDir);
  suites.forEach((text, index) => writeFileSync(join(rootDir, `${index}.test.js`), text));
  const reporters = ['default', join(ROOT, 'tests/support/summary-reporter.ts')];
  const jest = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/jest/bin/jest.js'),
      '--config',
      JSON.stringify({ rootDir, reporters, transform: {} }),
    ],
    { cwd: rootDir, encoding: 'utf8', timeout: 60_000 },
  );
  return { code: jest.status, lastLine: jest.stdout.trimEnd().split('\n').at(-1) };
}

test('it counts what passed, failed and was skipped', () => {
  expect(run('mixed', "test('a', () => {}); test.skip('b', () => {}); test.todo('c');")).toEqual({
    code: 0,
    lastLine: '1 passed, 0 failed, 2 skipped',
  });
  expect(run('failing', "test('a', () => {}); test('b', () => { throw new Error('no'); });")).toEqual({
    code: 1,
    lastLine: '1 passed, 1 failed, 0 skipped',
  });
});

test('a suite that does not load is a failure', () => {
  expect(run('broken', "test('a', () => {});", "require('no-such-module');")).toEqual({
    code: 1,
    lastLine: '1 passed, 1 failed, 0 skipped',
  });
});

test('a suite that fails after its tests is a failure', () => {
  const suite = "test('a', () => {}); afterAll(() => { throw new Error('no'); });";
  expect(run('teardown', suite)).toEqual({ code: 1, lastLine: '1 passed, 1 failed, 0 skipped' });
});

test('a run in which no test ran is a failure', () => {
  expect(run('skipped', "test.skip('a', () => {});")).toEqual({
    code: 1,
    lastLine: '0 passed, 1 failed, 1 skipped',
  });
});
