// CI runs the tests in parts, and one last line counts them all: no part may get lost.
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const IN_TURN = join(import.meta.dirname, '../../.ci/in-turn');

function run(...commands: string[]): { code: number | null; lines: readonly string[] } {
  const { status, stdout } = spawnSync(IN_TURN, commands, { encoding: 'utf8', timeout: 20_000 });
  return { code: status, lines: stdout.trimEnd().split('\n') };
}

test('it shows what every part says, and adds up', () => {
  expect(
    run("echo 'so far'; echo '2 passed, 0 failed, 1 skipped'", "echo '3 passed, 0 failed, 0 skipped'"),
  ).toEqual({
    code: 0,
    lines: [
      'so far',
      '2 passed, 0 failed, 1 skipped',
      '3 passed, 0 failed, 0 skipped',
      '5 passed, 0 failed, 1 skipped',
    ],
  });
});

test('what failed in the first part is a failure, and the second runs all the same', () => {
  const { code, lines } = run(
    "echo '1 passed, 2 failed, 0 skipped'; exit 1",
    "echo '3 passed, 0 failed, 0 skipped'",
  );
  expect({ code, last: lines.at(-1) }).toEqual({ code: 1, last: '4 passed, 2 failed, 0 skipped' });
});

test.each([
  ['says nothing', 'true'],
  ['says something else last', "echo '9 passed, 0 failed, 0 skipped'; echo 'and then crashed'"],
  ['ends badly', "echo '9 passed, 0 failed, 0 skipped'; exit 3"],
  ['is killed', 'kill -KILL $$'],
  ['is not there', 'no-such-command 2>/dev/null'],
])('a part that %s has failed', (_, command) => {
  const { code, lines } = run("echo '1 passed, 0 failed, 0 skipped'", command);
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatch(/^\d+ passed, 1 failed, 0 skipped$/);
});
