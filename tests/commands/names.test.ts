// Whatever names an object is held to be a name, before anything is asked of a cluster: it goes into a path.
import { expect, test } from '@jest/globals';
import { COMMANDS } from '../../src/commands/commands.ts';
import { why } from '../../src/commands/why.ts';
import { flagOf, SettingsError } from '../../src/config/read-settings.ts';
import { startScriptedApiServer } from '../support/scripted-api-server.ts';
import { kubernetesClient } from '../../src/kubernetes/client.ts';

const NO_NAMES = [
  '../../x',
  '..',
  '',
  'A',
  '-ada',
  'ada-',
  '.ada',
  'a'.repeat(254),
  'a/status',
  'a%2Fstatus',
  'a?force=true',
  'a#b',
  'a b',
  'a\nb',
  'ä',
];
/** Good names of Secrets, and of nothing else. */
const SECRETS_ONLY = ['ada.lovelace', 'a'.repeat(64)];
/** The settings that name an object; of `why`, `confirm` and `callers` others are looked for in what is read. */
const NAMES = new Set(['namespace', 'localAccountsSecret', 'ldapBindSecret']);
const isName = (command: string, setting: string) =>
  NAMES.has(setting) || (command === 'revoke' && setting === 'user');

const settings = COMMANDS.flatMap(({ words, settings: { shape }, run }) =>
  Object.keys(shape)
    .filter((setting) => isName(words.join(' '), setting))
    .map((setting) => [words.join(' '), flagOf(setting), run] as const),
);

test('every command that asks a cluster is tried', () => {
  const tried = new Set(settings.map(([command]) => command));
  const asking = COMMANDS.filter(({ settings: { shape } }) => 'kubeconfig' in shape);
  expect([...tried]).toEqual(asking.map(({ words }) => words.join(' ')));
});

test.each(settings)('%s --%s takes nothing but a name, and says so', async (_, flag, run) => {
  for (const name of [...NO_NAMES, ...(flag.endsWith('secret') ? [] : SECRETS_ONLY)]) {
    const invoked = async () =>
      run({ argv: [`--${flag}=${name}`], env: {}, signal: new AbortController().signal });
    const error = await invoked().catch((thrown: unknown) => thrown);
    expect({ name, error }).toEqual({ name, error: expect.any(SettingsError) });
    expect(String(error)).toMatch(
      new RegExp(`--${flag} \\(or LATCHKEY_\\w+\\): must be a name of Kubernetes`),
    );
    if (name.length > 3) expect(String(error)).not.toContain(name);
  }
});

test('why takes what is no name for a username only, and puts it into no path', async () => {
  const server = await startScriptedApiServer((_, answer) => {
    answer.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }));
  });
  const client = kubernetesClient(server.connection);
  try {
    for (const asked of [...NO_NAMES, ...SECRETS_ONLY])
      await expect(
        why({ client, out: () => undefined }, { asked, namespace: 'latchkey', now: () => new Date() }),
      ).rejects.toMatchObject({ code: 'UserUnknown' });
    expect(new Set(server.requests.map(({ path }) => path))).toEqual(
      new Set(['/apis/latchkey.dev/v1alpha1/users']),
    );
  } finally {
    await client.close();
    await server.close();
  }
});
