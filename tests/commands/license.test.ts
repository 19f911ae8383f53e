// `latchkey license`, as the vendor and an admin call it: the program itself, with real files and a real cluster.
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { clockAhead } from '../support/clock-ahead.ts';
import { testCluster } from '../support/cluster.ts';
import { vendor } from '../support/vendor.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const run = promisify(execFile);
const latchkey = (...args: readonly string[]) => run(process.execPath, [MAIN, 'license', ...args]);

const example = vendor();
const eve = vendor();
afterAll(() => {
  example.remove();
  eve.remove();
});
const folder = dirname(example.publicKeyFile);
const issue = (...args: readonly string[]) =>
  latchkey('issue', `--private-key-file=${example.privateKeyFile}`, ...args);

function fileOf(text: string): string {
  const file = join(folder, `${randomUUID()}.jwt`);
  writeFileSync(file, text);
  return file;
}

test('what the vendor issues is shown with customer, times and users, and its signature holds', async () => {
  const { stdout } = await issue('--customer=Ada & Söhne', '--users=12', '--not-before=2029-02-28', '--expires-at=2031-01-01T12:00:00+02:00'); // prettier-ignore
  const shown = await latchkey('show', `--file=${fileOf(stdout)}`, `--license-public-key-file=${example.publicKeyFile}`); // prettier-ignore
  const rows = shown.stdout.trimEnd().split('\n').map((row) => row.split(/ {2,}/)); // prettier-ignore
  expect(Object.fromEntries(rows)).toEqual({
    customer: 'Ada & Söhne',
    users: '12',
    'not before': '2029-02-28T00:00:00.000Z',
    expires: '2031-01-01T10:00:00.000Z (not valid yet)',
    id: expect.stringMatching(/^[\w-]{36}$/),
    signature: 'holds',
  });
});

test('without the public key nothing is said of the signature', async () => {
  const { text } = await example.issue({ endsIn: 60_000 });
  const { stdout } = await latchkey('show', `--file=${fileOf(text)}`);
  expect(stdout).toMatch(/^expires .*\(valid now\)$/m);
  expect(stdout).toMatch(/^signature +not checked/m);
});

test('a licence of somebody else is shown, and then refused', async () => {
  const { text } = await eve.issue({ endsIn: -1_000 });
  await expect(
    latchkey('show', `--file=${fileOf(text)}`, `--license-public-key-file=${example.publicKeyFile}`),
  ).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/customer +Example Ltd[^]*\(expired\)[^]*signature +does not hold/),
    stderr: expect.stringContaining('not signed with the vendor'),
  });
});

describe('the licence of a cluster', () => {
  test('is shown from its Secret, and it is said which one is missing', async () => {
    const cluster = await testCluster();
    const namespace = `license-${randomUUID().slice(0, 8)}`;
    await cluster.kubectl(['create', 'namespace', namespace]);
    const show = () =>
      latchkey('show', `--kubeconfig=${cluster.adminKubeconfig}`, `--namespace=${namespace}`);
    await expect(show()).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`Make the Secret latchkey-license in the namespace ${namespace}`),
    });
    const { text } = await example.issue({ endsIn: 600_000, users: 7 });
    await cluster.kubectl(['-n', namespace, 'create', 'secret', 'generic', 'latchkey-license', `--from-file=license=${fileOf(text)}`]); // prettier-ignore
    expect((await show()).stdout).toMatch(/^users +7$/m);
    // By the clock of the API server, as the operator goes by, and not by that of whoever asks.
    for (const aheadMs of [3_600_000, -3_600_000]) {
      const args = ['license', 'show', `--kubeconfig=${cluster.adminKubeconfig}`, `--namespace=${namespace}`];
      const { stdout } = await run(process.execPath, [clockAhead(aheadMs), MAIN, ...args]);
      expect(stdout).toContain('(valid now)');
    }
  });
});

describe('bad input', () => {
  const terms = ['--customer=x', '--users=1', '--expires-at=2031-01-01'];
  test.each<[string, readonly string[], string]>([
    ['no key', ['issue', ...terms], '--private-key-file (or LATCHKEY_PRIVATE_KEY_FILE): is required'],
    [
      'a key that is not there',
      ['issue', ...terms, '--private-key-file=/nowhere'],
      '/nowhere cannot be read',
    ],
    [
      'the public key',
      ['issue', ...terms, `--private-key-file=${example.publicKeyFile}`],
      'vendor.pem: The file is not a key that can be read',
    ],
    ['a day that does not exist', ['issue', '--expires-at=2031-02-31'], 'there is no such day'],
    ['a time without a zone', ['issue', '--expires-at=2031-01-01T12:00:00'], 'write for example 2030-12-31'],
    ['no users', ['issue', '--users=0'], 'must be a whole number above 0'],
    ['half a user', ['issue', '--users=1.5'], 'must be a whole number above 0'],
    ['a key as a flag', ['issue', '--private-key=abc'], "Unknown option '--private-key'"],
    ['a file that is no licence', ['show', `--file=${example.publicKeyFile}`], 'is no licence at all'],
    ['a file that is not there', ['show', '--file=/nowhere'], '--file: /nowhere cannot be read'],
  ])('%s is refused, and it is said why', async (_, args, message) => {
    await expect(latchkey(...args)).rejects.toMatchObject({ stderr: expect.stringContaining(message) });
  });

  test('a licence that ends before it begins is not made', async () => {
    await expect(
      issue('--customer=x', '--users=1', '--not-before=2031-01-02', '--expires-at=2031-01-01'),
    ).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('ends before it begins'),
    });
  });
});
