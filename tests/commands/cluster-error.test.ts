// What a person reads where a command cannot do its work, on a real API server that knows nothing of Latchkey.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { startControlPlane } from '../../dev/cluster/control-plane.ts';
import { freePort } from '../../dev/ports.ts';
import { COMMANDS } from '../../src/commands/commands.ts';
import { LatchkeyError } from '../../src/errors.ts';

const cluster = await startControlPlane();
afterAll(() => cluster.stop());

const WRONG_TOKEN = 'correct-horse-battery-staple';
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  why: ['ada'],
  confirm: ['k7mx2q'],
  revoke: ['--user=ada'],
  adopt: ['--restored'],
  'callers add': ['web'],
  'callers remove': ['web'],
};
const commands = COMMANDS.filter(
  ({ settings: { shape }, words: [word] }) => 'kubeconfig' in shape && word !== 'serve',
)
  .map(({ words, run }) => ({ name: words.join(' '), argv: ARGUMENTS[words.join(' ')] ?? [], run }))
  .flatMap((command) => (command.name === 'revoke' ? [command, { ...command, argv: ['--all'] }] : [command]))
  .map(({ name, argv, run }) => [[name, ...argv].join(' '), argv, run] as const);

const kubeconfig = (name: string, change: { server?: string; user: object }) => {
  const file = join(cluster.folder, `${name}.kubeconfig`);
  const { server = cluster.url, user } = change;
  writeFileSync(
    file,
    JSON.stringify({
      'current-context': 'it',
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
      clusters: [{ name: 'it', cluster: { server, 'certificate-authority': cluster.caFile } }],
      users: [{ name: 'it', user }],
    }),
    { mode: 0o600 },
  );
  return file;
};
const strangers = kubeconfig('stranger', { user: { token: WRONG_TOKEN } });
const nowhere = kubeconfig('nowhere', {
  server: `https://127.0.0.1:${await freePort()}`,
  user: { token: WRONG_TOKEN },
});
const mallorys = await cluster.clientKubeconfig('mallory');

const saidBy = (run: (typeof commands)[number][2], argv: readonly string[], file: string) =>
  run({ argv: [...argv, `--kubeconfig=${file}`], env: {}, signal: new AbortController().signal }).then(
    () => 'done',
    (error: unknown) => (error instanceof LatchkeyError ? error.message : `not for people: ${String(error)}`),
  );

describe.each(commands)('latchkey %s', (_name, argv, run) => {
  test.each([
    [
      'there is no API server',
      nowhere,
      /^The API server did not answer \(.*ECONNREFUSED.*\)\. Check the server/,
    ],
    [
      'the API server does not take the credentials',
      strangers,
      /^The API server does not take the credentials/,
    ],
    [
      'the right is missing',
      mallorys,
      /^You may not (do this|read Users|confirm a hold)\b.*\b(an admin|administrator)\b/,
    ],
    [
      'Latchkey is not installed',
      cluster.adminKubeconfig,
      /Latchkey is not installed|Check the name, --namespace|Name the namespace|Make (one|the Secret)|nothing has to be released|"latchkey callers list" shows them/,
    ],
  ])('says what to do where %s', async (_, file, what) => {
    const printed = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const written = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const said = await saidBy(run, argv, file);
    const noted = written.mock.calls.flat().join('\n');
    for (const spy of [printed, written]) spy.mockRestore();
    // Nobody is listed where there is nobody: no failure, but not silence.
    if (said === 'done') expect(noted).toMatch(/^There are no callers in the namespace latchkey\./);
    else expect(said).toMatch(what);
    expect(said).not.toContain(WRONG_TOKEN);
  });
});
