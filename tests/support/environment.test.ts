// A failure in CI leaves its output and nothing else, so what the operators have logged has to be in it.
import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { running } from '../../dev/latchkey/running.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { LAST_WORDS } from './last-words-name.ts';

const folder = temporaryFolder('latchkey-environment');
afterAll(() => folder.remove());
const ROOT = join(import.meta.dirname, '../..');

/** @returns what Jest prints about a suite */
function run(name: string, suite: string): string {
  writeFileSync(join(folder.path, `${name}.test.js`), suite);
  const config = {
    rootDir: folder.path,
    cacheDirectory: join(folder.path, 'cache'),
    testEnvironment: join(ROOT, 'tests/support/environment.ts'),
    testTimeout: 100,
    transform: {},
  };
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/jest/bin/jest.js'), name, '--config', JSON.stringify(config)],
    { cwd: folder.path, encoding: 'utf8', timeout: 60_000 },
  );
  return stdout + stderr;
}

// Put together, since Jest quotes the lines of a suite that fails.
const SAYS = `globalThis.${LAST_WORDS} = () => ['the', 'last', 'words'].join(' ');`;

test.each([
  ['fails', `${SAYS} test('it', () => { throw new Error('no'); });`],
  ['hangs', `${SAYS} test('it', () => new Promise(() => {}));`],
  ['hook', `${SAYS} beforeAll(() => { throw new Error('no'); }); test('it', () => {});`],
])('they are printed where a suite %s', (name, suite) => {
  expect(run(name, suite)).toContain('the last words');
});

test('nothing is printed where all is well, or no operator runs', () => {
  expect(run('passes', `${SAYS} test('it', () => {});`)).not.toContain('the last words');
  const nobody = `globalThis.${LAST_WORDS} = () => ''; test('it', () => { throw new Error('no'); });`;
  expect(run('nobody', nobody)).not.toContain('console.error');
});

test('they are those of every operator that runs', () => {
  const lastWords = (globalThis as unknown as Record<string, () => string>)[LAST_WORDS];
  expect(lastWords?.()).toBe('');
  const operators = ['https://one', 'https://two'].map((portal) => ({ portal, lastLines: () => 'farewell' }));
  for (const operator of operators) running.add(operator);
  expect(lastWords?.()).toBe(
    'The operator at https://one has said last:\nfarewell\n\nThe operator at https://two has said last:\nfarewell',
  );
  running.clear();
});
