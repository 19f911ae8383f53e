// Local accounts that are taken out or locked while people are signed in, by the real operator on a real cluster.
import { afterAll, expect, test } from '@jest/globals';
import { OPERATOR_NAMESPACE, writeLocalAccounts } from '../../dev/latchkey/install.ts';
import { hashPassword } from '../../src/directory/local/password-hash.ts';
import { keepsThePromise, restart, TAKEN_OVER_SOON } from '../support/directory-promise.ts';
import { startLatchkey } from '../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const NAMES = ['ada', 'grace', 'linus'];
/** Enough for a hold. */
const CROWD = Array.from({ length: 10 }, (_, index) => `crowd-${index}`);
const EVERYBODY = [...NAMES, ...CROWD];
const FLAGS = ['--sign-in-attempts-per-address=1000', TAKEN_OVER_SOON];

const latchkey = await startLatchkey({
  accounts: Object.fromEntries(EVERYBODY.map((name) => [name, PASSWORD])),
  flags: FLAGS,
});
afterAll(() => latchkey.stop());
const hash = await hashPassword(PASSWORD);
const lines = (names: readonly string[]) => names.map((name) => `${name}:${hash}`);
const write = (...accounts: string[]) => writeLocalAccounts(latchkey.cluster, accounts);
const without = (...names: string[]) => lines(EVERYBODY.filter((name) => !names.includes(name)));
const secret = (...args: string[]) =>
  latchkey.kubectl(['-n', OPERATOR_NAMESPACE, ...args, 'secret', 'latchkey-local-accounts']);
const untilReachable = (is: 'True' | 'False') =>
  latchkey.kubectl([
    'wait',
    `--for=condition=DirectoryReachable=${is}`,
    '--timeout=60s',
    'tokenpolicies.latchkey.dev/cluster',
  ]);

for (const name of EVERYBODY) await latchkey.createUser(name);
for (const name of EVERYBODY) {
  await latchkey.untilStatus(name, ({ directory }) => directory?.state === 'Active');
  expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  await latchkey.untilToken(name);
}

test('taken out of the list → invalid until put back and signed in', async () => {
  await write(...without('ada'));
  await latchkey.untilNoToken('ada');
  const out = await latchkey.untilStatus('ada', ({ directory }) => directory?.state === 'Missing');
  expect(out.session).toBeUndefined();
  expect(out.conditions).toContainEqual(
    expect.objectContaining({ type: 'DirectoryActive', status: 'False', reason: 'Missing' }),
  );
  await write(...lines(EVERYBODY));
  await latchkey.untilStatus(
    'ada',
    ({ directory, phase }) => directory?.state === 'Active' && phase === 'Pending',
  );
  expect(await latchkey.token('ada')).toBeUndefined();
  expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('ada');
});

test('locked in the list → invalid until unlocked and signed in', async () => {
  await keepsThePromise(
    latchkey,
    {
      name: 'linus',
      password: PASSWORD,
      disable: () => write(...without('linus'), `linus:!${hash}`),
      enable: () => write(...lines(EVERYBODY)),
    },
    FLAGS,
  );
});

test('taken out of the list while nobody watched → invalid once somebody does', async () => {
  await latchkey.operator.kill();
  await write(...without('grace'));
  await restart(latchkey, FLAGS);
  await latchkey.untilNoToken('grace');
  await latchkey.untilStatus('grace', ({ directory }) => directory?.state === 'Missing');
});

test('a User without an account who never signed in waits for one', async () => {
  await latchkey.createUser('margaret');
  await latchkey.untilStatus('margaret', ({ phase }) => phase === 'Pending');
  await write(...without('grace'), '# and nothing else');
  const { directory } = await latchkey.untilStatus('margaret', ({ phase }) => phase === 'Pending');
  expect(directory).toBeUndefined();
});

test('a list that is malformed, of nobody, or gone takes nothing from anybody, and the policy says so', async () => {
  await write('no account at all');
  await untilReachable('False');
  expect((await latchkey.policy()).status?.directory?.fault).toBe('Malformed');
  await write(...without('grace'));
  await untilReachable('True');
  await write('');
  await untilReachable('False');
  expect((await latchkey.policy()).status?.directory?.fault).toBe('NobodyFound');
  await write(...without('grace'));
  await untilReachable('True');
  await secret('delete');
  await untilReachable('False');
  expect((await latchkey.policy()).status?.directory?.fault).toBe('NotThere');
  await write(...without('grace'));
  await untilReachable('True');
  for (const name of ['ada', 'linus', ...CROWD]) expect(await latchkey.token(name)).toBeDefined();
});

test('a great many who are taken out at once keep their tokens until an admin confirms it', async () => {
  await write(...lines(['ada', 'linus']));
  await latchkey.untilStatus('crowd-0', ({ hold }) => hold !== undefined);
  const held = (await latchkey.policy()).status?.holds?.[0];
  expect(held).toMatchObject({ cause: 'Inactive', affected: CROWD.length });
  for (const name of CROWD) expect(await latchkey.token(name)).toBeDefined();
  await write(...without('grace'));
  await latchkey.untilStatus('crowd-0', ({ hold }) => hold === undefined);
  for (const name of EVERYBODY.filter((other) => other !== 'grace'))
    expect(await latchkey.token(name)).toBeDefined();
});
