// The promise about directories on a real Samba as an Active Directory, by the real operator, killed in between.
import { afterAll, expect, test } from '@jest/globals';
import { SAMBA_SUFFIX, sambaUserDn, startSamba } from '../../dev/directories/samba.ts';
import { directoryFlags } from '../../dev/directories/flags.ts';
import { writeSecret } from '../../dev/latchkey/install.ts';
import { ASK_OFTEN } from '../support/ask-often.ts';
import {
  findsWhatNobodyWatched,
  keepsThePromise,
  TAKEN_OVER_SOON,
  type Person,
} from '../support/directory-promise.ts';
import { startLatchkey } from '../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const NAMES = ['ada', 'grace', 'linus', 'margaret', 'radia', 'ken', 'alan'];

const samba = await startSamba({
  users: NAMES.map((uid) => ({ uid, cn: uid, password: PASSWORD })),
  passwordSettings: ['--account-lockout-threshold=3'],
});
const flags = [
  ...directoryFlags(samba, SAMBA_SUFFIX),
  '--ldap-user-filter=(&(objectClass=user)(sAMAccountName={username}))',
  ...ASK_OFTEN,
  TAKEN_OVER_SOON,
  '--sign-in-attempts-per-user=1000',
  '--sign-in-attempts-per-address=1000',
];
const latchkey = await startLatchkey({ flags });
afterAll(async () => {
  await latchkey.stop();
  await samba.stop();
});
await writeSecret(latchkey.cluster, 'latchkey-ldap-bind', { password: samba.bindPassword });
for (const name of NAMES) await latchkey.createUser(name);
for (const name of NAMES) await latchkey.untilStatus(name, (status) => status.directory?.state === 'Active');

const person = (name: string): Person => ({
  name,
  password: PASSWORD,
  disable: () => samba.sambaTool('user', 'disable', name),
  enable: () => samba.sambaTool('user', 'enable', name),
});

async function signedIn(name: string): Promise<void> {
  expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  await latchkey.untilToken(name);
}

test('disabled in the directory → invalid until enabled and signed in', () =>
  keepsThePromise(latchkey, person('ada'), flags));

test('disabled while nobody watched → invalid once somebody does', () =>
  findsWhatNobodyWatched(latchkey, person('grace'), flags));

test('the password is reset → invalid until signed in with the new one, where the policy says so', async () => {
  const next = 'another horse battery staple';
  await latchkey.patch('tokenpolicy cluster', { spec: { session: { endOnPasswordChange: true } } });
  await signedIn('alan');
  await samba.sambaTool('user', 'setpassword', 'alan', `--newpassword=${next}`);
  const { conditions } = await latchkey.untilStatus('alan', ({ session }) => session === undefined);
  expect(conditions).toContainEqual(expect.objectContaining({ type: 'SignedIn', reason: 'PasswordChanged' }));
  await latchkey.untilNoToken('alan');
  expect((await latchkey.signIn('alan', next)).status).toBe(303);
  await latchkey.untilToken('alan');
});

test('expired in the directory → invalid, at the very time that was set', async () => {
  await signedIn('linus');
  const end = (BigInt(Date.now() + 3_000) + 11_644_473_600_000n) * 10_000n;
  await samba.modify(
    `dn: ${sambaUserDn('linus')}\nchangetype: modify\nreplace: accountExpires\naccountExpires: ${end}\n`,
  );
  const status = await latchkey.untilStatus('linus', (found) => found.directory?.state === 'Inactive');
  expect(status.directory?.reason).toBe('Expired');
  await latchkey.untilNoToken('linus');
});

test('deleted in the directory → invalid, and of another account under the same name it stays so', async () => {
  await signedIn('margaret');
  await samba.sambaTool('user', 'delete', 'margaret');
  await latchkey.untilStatus('margaret', (status) => status.directory?.state === 'Missing');
  await latchkey.untilNoToken('margaret');
  await samba.sambaTool('user', 'create', 'margaret', PASSWORD);
  const status = await latchkey.untilStatus('margaret', (found) => found.directory?.state === 'Inactive');
  expect(status.directory?.reason).toBe('Replaced');
});

test('locked by wrong passwords → still valid, unless the policy says that a lock ends sessions', async () => {
  await signedIn('radia');
  for (let tries = 0; tries < 3; tries++) await latchkey.signIn('radia', 'wrong');
  expect((await latchkey.signIn('radia', PASSWORD)).status).toBe(401);
  await person('ken').disable();
  await latchkey.untilStatus('ken', (status) => status.directory?.state === 'Inactive');
  expect((await latchkey.user('radia')).status?.directory?.state).toBe('Active');
  expect(await latchkey.token('radia')).toBeDefined();
  await latchkey.patch('tokenpolicy cluster', { spec: { directory: { endSessionOn: ['Locked'] } } });
  const status = await latchkey.untilStatus('radia', (found) => found.directory?.state === 'Inactive');
  expect(status.directory?.reason).toBe('Locked');
  await latchkey.untilNoToken('radia');
});
