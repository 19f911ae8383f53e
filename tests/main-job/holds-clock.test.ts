// No mass accident by a clock that is set: what was taken lately counts by the API server's clock.
import { afterAll, expect, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { processClock } from '../faults/harness/clock.ts';
import { hashPassword } from '../../src/directory/local/password-hash.ts';
import { writeLocalAccounts } from '../../dev/latchkey/install.ts';
import { startLatchkey } from '../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const HOUR_MS = 3_600_000;
const GRAIN_MS = 4_000;
const DEADLINE_MS = 60_000;

const clock = processClock();
const latchkey = await startLatchkey({ accounts: { 'user-29': PASSWORD }, nodeFlags: clock.nodeFlags });
afterAll(async () => {
  await latchkey.stop();
  clock.remove();
});
const { kubectl, policy } = latchkey;
const names = Array.from({ length: 30 }, (_, index) => `user-${index}`);
const taken = async () => (await policy()).status?.taken?.reduce((sum, { users }) => sum + users, 0) ?? 0;
const left = async () =>
  (await kubectl(['get', 'users.latchkey.dev', '-o', 'name'])).trim().split('\n').length;

test('nine Users that were offboarded are not forgotten by a clock that is set an hour ahead', async () => {
  for (const name of names) await latchkey.createUser(name);
  for (const name of names) await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
  await kubectl(['delete', 'users.latchkey.dev', ...names.slice(0, 9), '--timeout=60s']);
  expect(await taken()).toBe(9);

  clock.set(HOUR_MS);
  await waitUntil('the step to be noticed', DEADLINE_MS, () =>
    latchkey.operator.log().includes('"event":"ClockSkew"'),
  );
  await kubectl(['delete', 'users.latchkey.dev', ...names.slice(9, 18), '--wait=false']);
  const hold = await waitUntil('a hold', DEADLINE_MS, async () => (await policy()).status?.holds?.[0]);
  expect(hold).toMatchObject({ cause: 'Deleting', confirmed: false });
  await waitUntil(
    'all to be held',
    DEADLINE_MS,
    async () => (await policy()).status?.holds?.[0]?.affected === 9,
  );
  expect(await left()).toBe(21);
  expect(await taken()).toBe(9);
});

test('whoever signs in meanwhile has a session of now, which the directory may end', async () => {
  expect((await latchkey.signIn('user-29', PASSWORD)).status).toBe(303);
  const { session } = await latchkey.untilStatus('user-29', (status) => status.session !== undefined);
  const startedAt = Date.parse(session?.startedAt ?? '');
  expect(startedAt - Date.now()).toBeLessThan(HOUR_MS / 2);
  // What the directory was asked within the second of the sign-in takes nothing; by clocks that differ it is a few.
  await waitUntil('a question after the sign-in', DEADLINE_MS, () => Date.now() > startedAt + GRAIN_MS);
  await writeLocalAccounts(latchkey.cluster, [`user-29:!${await hashPassword(PASSWORD)}`]);
  await latchkey.untilStatus('user-29', (status) => status.session === undefined);
});
