// Users that have vanished are held, and whoever switches everybody off means their tokens of Kubernetes, too.
import { afterAll, expect, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { restartAfter } from '../support/restart.ts';

const PASSWORD = 'correct horse battery staple';
const DEADLINE_MS = 60_000;

const latchkey = await startLatchkey({ accounts: { 'user-0': PASSWORD } });
afterAll(() => latchkey.stop());
const { kubectl } = latchkey;
const dozen = Array.from({ length: 12 }, (_, index) => `user-${index}`);
const anchor = () =>
  kubectl(['-n', 'user-0', 'get', 'secret', 'access-token-binding', '--ignore-not-found', '-o', 'name']);

test('what is held keeps what its token hangs on, until an admin switches everybody off', async () => {
  await latchkey.patch('tokenpolicy cluster', { spec: { tokenSource: 'Kubernetes' } });
  for (const name of dozen) await latchkey.createUser(name);
  for (const name of dozen) await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
  expect((await latchkey.signIn('user-0', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('user-0');
  await restartAfter(latchkey, async () => {
    for (const name of dozen)
      await latchkey.patch(`users.latchkey.dev ${name}`, { metadata: { finalizers: null } });
    await kubectl(['delete', 'users.latchkey.dev', ...dozen, '--timeout=60s']);
  });
  await waitUntil('the hold', DEADLINE_MS, async () =>
    (await latchkey.policy()).status?.holds?.some(({ affected }) => affected === 12),
  );
  await waitUntil('it to be looked at', DEADLINE_MS, () =>
    latchkey.operator.log().includes('"event":"Held"'),
  );
  expect(await latchkey.token('user-0')).toBeDefined();
  expect(await anchor()).toContain('access-token-binding');

  await latchkey.patch('tokenpolicy cluster', { spec: { enabled: false } });
  await latchkey.untilNoToken('user-0');
  await waitUntil('what it hangs on to be gone', DEADLINE_MS, async () => (await anchor()) === '');
  await kubectl(['get', 'namespace', 'user-0']);
});
