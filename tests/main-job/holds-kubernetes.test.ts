// Users that have vanished are held, and whoever switches everybody off, or ends every session, means their tokens of Kubernetes, too.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { latchkeyCommand } from '../../dev/latchkey/command.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { restartAfter } from '../support/restart.ts';

const PASSWORD = 'correct horse battery staple';
const DEADLINE_MS = 60_000;

const latchkey = await startLatchkey({
  accounts: { 'one-0': PASSWORD, 'two-0': PASSWORD, 'three-0': PASSWORD },
});
afterAll(() => latchkey.stop());
const { kubectl } = latchkey;
const command = latchkeyCommand(latchkey.cluster.adminKubeconfig);
const anchor = (namespace: string) =>
  kubectl(['-n', namespace, 'get', 'secret', 'access-token-binding', '--ignore-not-found', '-o', 'name']);
const vanishedOnHold = async () =>
  (await latchkey.policy()).status?.holds?.find(({ cause }) => cause === 'Vanished')?.affected;

beforeAll(() => latchkey.patch('tokenpolicy cluster', { spec: { tokenSource: 'Kubernetes' } }));

test.each([
  ['ends every session', 'one', 12, () => command('revoke', '--all', '--namespace=latchkey')],
  [
    'ends every session while no operator runs',
    'two',
    24,
    () => restartAfter(latchkey, () => command('revoke', '--all', '--namespace=latchkey')),
  ],
  [
    'switches everybody off',
    'three',
    36,
    () => latchkey.patch('tokenpolicy cluster', { spec: { enabled: false } }),
  ],
])('what is held keeps what its token hangs on, until an admin %s', async (_, prefix, held, end) => {
  const dozen = Array.from({ length: 12 }, (__, index) => `${prefix}-${index}`);
  const [first = ''] = dozen;
  for (const name of dozen) await latchkey.createUser(name);
  for (const name of dozen) await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
  expect((await latchkey.signIn(first, PASSWORD)).status).toBe(303);
  await latchkey.untilToken(first);
  await restartAfter(latchkey, async () => {
    for (const name of dozen)
      await latchkey.patch(`users.latchkey.dev ${name}`, { metadata: { finalizers: null } });
    await kubectl(['delete', 'users.latchkey.dev', ...dozen, '--timeout=60s']);
  });
  await waitUntil('the hold', DEADLINE_MS, async () => (await vanishedOnHold()) === held);
  await waitUntil('it to be looked at', DEADLINE_MS, () =>
    latchkey.operator.log().includes('"event":"Held"'),
  );
  expect(await latchkey.token(first)).toBeDefined();
  expect(await anchor(first)).toContain('access-token-binding');

  await end();
  await latchkey.untilNoToken(first);
  await waitUntil('what it hangs on to be gone', DEADLINE_MS, async () => (await anchor(first)) === '');
  await kubectl(['get', 'namespace', first]);
  // Nothing more than the token is taken: what is held waits on.
  expect(await vanishedOnHold()).toBe(held);
});
