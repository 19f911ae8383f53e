// The promise about directories on a real 389 Directory Server, by the real operator, killed in between.
import { afterAll, expect, test } from '@jest/globals';
import { startDirectory389 } from '../../dev/directories/directory-389.ts';
import { SUFFIX, userDn } from '../../dev/directories/entries.ts';
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
const NAMES = ['ada', 'grace', 'linus', 'margaret'];

const directory = await startDirectory389({
  users: NAMES.map((uid) => ({ uid, cn: uid, password: PASSWORD })),
});
const flags = [...directoryFlags(directory), ...ASK_OFTEN, TAKEN_OVER_SOON];
const latchkey = await startLatchkey({ flags });
afterAll(async () => {
  await latchkey.stop();
  await directory.stop();
});
await writeSecret(latchkey.cluster, 'latchkey-ldap-bind', { password: directory.bindPassword });
for (const name of NAMES) await latchkey.createUser(name);
for (const name of NAMES) await latchkey.untilStatus(name, (status) => status.directory?.state === 'Active');

const person = (name: string): Person => ({
  name,
  password: PASSWORD,
  disable: () => directory.dsidm('account', 'lock', userDn(name)),
  enable: () => directory.dsidm('account', 'unlock', userDn(name)),
});

test('disabled in the directory → invalid until enabled and signed in', () =>
  keepsThePromise(latchkey, person('ada'), flags));

test('disabled while nobody watched → invalid once somebody does', () =>
  findsWhatNobodyWatched(latchkey, person('grace'), flags));

// The server computes nsAccountLock of everybody who has the role; their own entries do not change.
test('disabled with a role in the directory → invalid until the role is enabled, and signed in', async () => {
  const role = `cn=contractors,${SUFFIX}`;
  const kinds = ['ldapSubEntry', 'nsRoleDefinition', 'nsSimpleRoleDefinition', 'nsManagedRoleDefinition'];
  await directory.modify(
    [
      `dn: ${role}`,
      'changetype: add',
      ...kinds.map((kind) => `objectClass: ${kind}`),
      'cn: contractors',
      '',
    ].join('\n'),
  );
  await directory.modify(`dn: ${userDn('linus')}\nchangetype: modify\nadd: nsRoleDN\nnsRoleDN: ${role}\n`);
  expect((await latchkey.signIn('linus', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('linus');
  await directory.dsidm('role', 'lock', role);
  const { directory: heard } = await latchkey.untilStatus('linus', (status) => status.session === undefined);
  expect(heard).toMatchObject({ state: 'Inactive', reason: 'Disabled' });
  await latchkey.untilNoToken('linus');
  expect((await latchkey.signIn('linus', PASSWORD)).status).not.toBe(303);
  await directory.dsidm('role', 'unlock', role);
  await latchkey.untilStatus('linus', ({ phase }) => phase === 'Pending');
  expect(await latchkey.token('linus')).toBeUndefined();
  expect((await latchkey.signIn('linus', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('linus');
});

test('deleted in the directory → invalid', async () => {
  expect((await latchkey.signIn('margaret', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('margaret');
  await directory.modify(`dn: ${userDn('margaret')}\nchangetype: delete\n`);
  await latchkey.untilStatus('margaret', (status) => status.directory?.state === 'Missing');
  await latchkey.untilNoToken('margaret');
});
