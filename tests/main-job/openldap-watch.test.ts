// The promise about directories on a real OpenLDAP server with ppolicy, by the real operator, killed in between.
import { afterAll, expect, test } from '@jest/globals';
import { userDn } from '../../dev/directories/entries.ts';
import { directoryFlags } from '../../dev/directories/flags.ts';
import { startOpenLdap } from '../../dev/directories/openldap.ts';
import { writeSecret } from '../../dev/latchkey/install.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { ASK_OFTEN } from '../support/ask-often.ts';
import {
  findsWhatNobodyWatched,
  keepsThePromise,
  restart,
  TAKEN_OVER_SOON,
  type Person,
} from '../support/directory-promise.ts';
import { startLatchkey } from '../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const NAMES = ['ada', 'grace', 'linus', 'margaret', 'barbara', 'radia', 'ken', 'alan', 'vera'];

const directory = await startOpenLdap({
  users: NAMES.map((uid) => ({ uid, cn: uid, password: PASSWORD })),
  passwordPolicy: { pwdLockout: 'TRUE', pwdMaxFailure: '3' },
});
const flags = [
  ...directoryFlags(directory),
  ...ASK_OFTEN,
  TAKEN_OVER_SOON,
  '--sign-in-attempts-per-user=1000',
  '--sign-in-attempts-per-address=1000',
];
const latchkey = await startLatchkey({ flags });
afterAll(async () => {
  await latchkey.stop();
  await directory.stop();
});
await writeSecret(latchkey.cluster, 'latchkey-ldap-bind', { password: directory.bindPassword });
for (const name of [...NAMES, 'stranger']) await latchkey.createUser(name);
for (const name of NAMES) await latchkey.untilStatus(name, (status) => status.directory?.state === 'Active');

const change = (uid: string, ...lines: string[]) =>
  directory.modify([`dn: ${userDn(uid)}`, 'changetype: modify', ...lines, ''].join('\n'));

const person = (name: string): Person => ({
  name,
  password: PASSWORD,
  disable: () => change(name, 'replace: pwdAccountLockedTime', 'pwdAccountLockedTime: 000001010000Z'),
  enable: () => change(name, 'delete: pwdAccountLockedTime'),
});

async function signedIn(name: string): Promise<void> {
  expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  await latchkey.untilToken(name);
}

test('disabled in the directory → invalid until enabled and signed in', () =>
  keepsThePromise(latchkey, person('ada'), flags));

test('disabled while nobody watched → invalid once somebody does', () =>
  findsWhatNobodyWatched(latchkey, person('grace'), flags));

test('expired in the directory → invalid, at the very time that was set', async () => {
  await signedIn('linus');
  const end = new Date(Date.now() + 3_000).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  await change('linus', 'add: pwdEndTime', `pwdEndTime: ${end}`);
  const status = await latchkey.untilStatus('linus', (found) => found.directory?.state === 'Inactive');
  expect(status.directory?.reason).toBe('Expired');
  await latchkey.untilNoToken('linus');
});

test('deleted in the directory → invalid, and of another account under the same name it stays so', async () => {
  await signedIn('margaret');
  await directory.modify(`dn: ${userDn('margaret')}\nchangetype: delete\n`);
  await latchkey.untilStatus('margaret', (status) => status.directory?.state === 'Missing');
  await latchkey.untilNoToken('margaret');
  await directory.modify(
    `dn: ${userDn('margaret')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: margaret\ncn: m\nsn: m\nuserPassword: ${PASSWORD}\n`,
  );
  const status = await latchkey.untilStatus('margaret', (found) => found.directory?.state === 'Inactive');
  expect(status.directory?.reason).toBe('Replaced');
  expect((await latchkey.signIn('margaret', PASSWORD)).text).toContain('AccountReplaced');
});

test('of an account that was made anew for the same person, an admin says so with the command of the condition', async () => {
  const { conditions, directory: heard } = await latchkey.untilStatus('margaret', () => true);
  const { message = '' } = conditions?.find(({ type }) => type === 'Ready') ?? {};
  const [, args = '', patch = ''] = /: kubectl (patch .*) -p '(.*)'\. Then/.exec(message) ?? [];
  await latchkey.kubectl([...args.split(' '), '-p', patch]);
  await latchkey.untilStatus('margaret', ({ phase }) => phase === 'Pending');
  expect(await latchkey.token('margaret')).toBeUndefined();
  await signedIn('margaret');
  const { directory: pinned } = await latchkey.untilStatus(
    'margaret',
    (status) => status.session !== undefined,
  );
  expect(pinned?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(pinned?.id).not.toBe(heard?.id);
});

test('a value that cannot be read → still valid, and it is said which one', async () => {
  await signedIn('vera');
  const days = '9'.repeat(20);
  await change(
    'vera',
    'add: objectClass',
    'objectClass: shadowAccount',
    '-',
    'add: shadowExpire',
    `shadowExpire: ${days}`,
  );
  const { conditions, session } = await latchkey.untilStatus(
    'vera',
    ({ directory: heard }) => heard?.state === 'Unknown',
  );
  expect(conditions).toContainEqual(
    expect.objectContaining({ type: 'DirectoryActive', message: expect.stringContaining('shadowExpire') }),
  );
  expect(session).toBeDefined();
  expect(await latchkey.token('vera')).toBeDefined();
});

test('renamed in the directory → invalid', async () => {
  await signedIn('barbara');
  await directory.modify(`dn: ${userDn('barbara')}\nchangetype: modrdn\nnewrdn: uid=barb\ndeleteoldrdn: 1\n`);
  await latchkey.untilStatus('barbara', (status) => status.directory?.state === 'Missing');
  await latchkey.untilNoToken('barbara');
});

test('locked by wrong passwords → still valid, unless the policy says that a lock ends sessions', async () => {
  await signedIn('radia');
  for (let tries = 0; tries < 3; tries++) await latchkey.signIn('radia', 'wrong');
  expect((await latchkey.signIn('radia', PASSWORD)).status).toBe(401);
  // Long enough for a sweep to have seen the lock: the disabled one beside her is seen by then.
  await person('ken').disable();
  await latchkey.untilStatus('ken', (status) => status.directory?.state === 'Inactive');
  expect((await latchkey.user('radia')).status?.directory?.state).toBe('Active');
  expect(await latchkey.token('radia')).toBeDefined();
  await latchkey.patch('tokenpolicy cluster', { spec: { directory: { endSessionOn: ['Locked'] } } });
  const status = await latchkey.untilStatus('radia', (found) => found.directory?.state === 'Inactive');
  expect(status.directory?.reason).toBe('Locked');
  await latchkey.untilNoToken('radia');
});

test('signed in for as long as the policy allows → invalid until signed in again', async () => {
  await signedIn('alan');
  await latchkey.patch('tokenpolicy cluster', { spec: { session: { maxAge: '4s' } } });
  const { session, conditions } = await latchkey.untilStatus('alan', (status) => !status.session);
  expect(session).toBeUndefined();
  expect(conditions).toContainEqual(expect.objectContaining({ type: 'SignedIn', reason: 'SessionTooOld' }));
  await latchkey.untilNoToken('alan');
  await latchkey.patch('tokenpolicy cluster', { spec: { session: null } });
  expect(await latchkey.token('alan')).toBeUndefined();
  await signedIn('alan');
});

test('the password is changed → invalid until signed in with the new one, where the policy says so', async () => {
  await latchkey.patch('tokenpolicy cluster', { spec: { session: { endOnPasswordChange: true } } });
  await signedIn('alan');
  for (const next of ['a second battery staple', 'a third battery staple']) {
    // ppolicy notes the time of a change in seconds, and nothing of the first password of an account.
    const since = (await latchkey.user('alan')).status?.session?.startedAt ?? '';
    await waitUntil('the next second', 5_000, () => Date.now() > Date.parse(since) + 1_000);
    await change('alan', 'replace: userPassword', `userPassword: ${next}`);
    const { conditions } = await latchkey.untilStatus('alan', ({ session }) => session === undefined);
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: 'SignedIn', reason: 'PasswordChanged' }),
    );
    await latchkey.untilNoToken('alan');
    expect((await latchkey.signIn('alan', next)).status).toBe(303);
    await latchkey.untilToken('alan');
  }
});

test('a User whom the directory never had is told so, before anybody signs in', async () => {
  const status = await latchkey.untilStatus('stranger', (found) => found.directory?.state === 'Missing');
  expect(status.phase).toBe('Suspended');
});

test('a directory that falls silent takes nothing from anybody, not even from a new operator', async () => {
  await signedIn('ada');
  await directory.kill();
  await restart(latchkey, flags);
  const { claims } = await latchkey.untilToken('ada');
  expect(claims['preferred_username']).toBe('ada');
  expect((await latchkey.user('ada')).status?.directory?.state).toBe('Active');
  expect((await latchkey.user('grace')).status?.directory?.state).toBe('Inactive');
  expect(await latchkey.token('grace')).toBeUndefined();
});
