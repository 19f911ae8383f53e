// A run in which the longest suite starts last takes minutes more, and nobody sees why.
import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../dev/temporary-folder.ts';

const folder = temporaryFolder('latchkey-sequencer');
afterAll(() => folder.remove());
const ROOT = join(import.meta.dirname, '../..');

test('in a clean clone, the suites with an operator of their own start first', () => {
  const suites = { large: `// ${'x'.repeat(5_000)}`, operator: '// startLatchkey()', small: '' };
  for (const [name, text] of Object.entries(suites))
    writeFileSync(join(folder.path, `${name}.test.js`), `test('it', () => {});\n${text}\n`);
  const config = {
    rootDir: folder.path,
    cacheDirectory: join(folder.path, 'cache'),
    testSequencer: join(ROOT, 'tests/support/sequencer.ts'),
    transform: {},
  };
  const { stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/jest/bin/jest.js'), '--runInBand', '--config', JSON.stringify(config)],
    { cwd: folder.path, encoding: 'utf8', timeout: 60_000 },
  );
  const order = [...stderr.matchAll(/^PASS .*?(\w+)\.test\.js/gm)].map(([, name]) => name);
  expect(order).toEqual(['operator', 'large', 'small']);
});
