// Signing in against a real OpenLDAP server, through the real portal and operator: what each person reads.
import { afterAll, expect, test } from '@jest/globals';
import type { Answer } from '../../dev/ask-once.ts';
import { PEOPLE_DN, userDn } from '../../dev/directories/entries.ts';
import { startOpenLdap } from '../../dev/directories/openldap.ts';
import { writeSecret } from '../../dev/latchkey/install.ts';
import { startLatchkey } from '../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const people = ['ada', 'barbara', 'grace', 'linus', 'nobody'];

const directory = await startOpenLdap({
  users: people.map((uid) => ({ uid, cn: uid, mail: `${uid}@example.org`, password: PASSWORD })),
  passwordPolicy: { pwdMaxAge: '86400' },
});
const latchkey = await startLatchkey({
  flags: [
    '--directory=ldap',
    `--ldap-url=${directory.ldapUrl}`,
    '--ldap-start-tls',
    `--ldap-ca-file=${directory.caFile}`,
    `--ldap-bind-dn=${directory.bindDn}`,
    `--ldap-base-dn=${PEOPLE_DN}`,
    '--contact=the platform team',
    '--password-change-url=https://password.example.org/',
    '--sign-in-attempts-per-user=3',
    '--sign-in-attempts-per-address=1000',
  ],
});
afterAll(async () => {
  await latchkey.stop();
  await directory.stop();
});
await writeSecret(latchkey.cluster, 'latchkey-ldap-bind', { password: directory.bindPassword });
for (const name of ['ada', 'barbara', 'grace', 'linus']) await latchkey.createUser(name);
for (const name of ['ada', 'barbara', 'grace', 'linus'])
  await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');

/** What a person reads, without what they typed. */
const words = ({ text }: Answer, typed: string) => text.replaceAll(typed, '…');

test('the right password brings a token, and the directory’s id of the account is kept', async () => {
  expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('ada');
  const { directory: kept } = await latchkey.untilStatus('ada', ({ phase }) => phase === 'Active');
  expect(kept?.id).toMatch(/^[0-9a-f-]{36}$/);
});

test('a wrong password and an unknown user read alike', async () => {
  const wrong = await latchkey.signIn('grace', 'wrong');
  const unknown = await latchkey.signIn('stranger', 'wrong');
  expect([wrong.status, unknown.status]).toEqual([401, 401]);
  expect(words(wrong, 'grace')).toBe(words(unknown, 'stranger'));
});

test('after too many wrong passwords even the right one has to wait, and the directory is not asked', async () => {
  for (let i = 0; i < 3; i++) await latchkey.signIn('linus', 'wrong');
  const answer = await latchkey.signIn('linus', PASSWORD);
  expect(answer.status).toBe(429);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
});

test('a valid account without a User is told whom to ask', async () => {
  const answer = await latchkey.signIn('nobody', PASSWORD);
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('the platform team');
});

test('an expired password says so to who knows it, and links where to change it; to others it is wrong', async () => {
  await directory.modify(
    `dn: ${userDn('grace')}\nchangetype: modify\nreplace: pwdChangedTime\npwdChangedTime: 20200101000000Z\n`,
  );
  const answer = await latchkey.signIn('grace', PASSWORD);
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('https://password.example.org/');
  const guess = await latchkey.signIn('grace', 'wrong');
  expect(guess.status).toBe(401);
  expect(guess.text).not.toContain('https://password.example.org/');
});

test('an account that was deleted and made again in the directory is somebody else', async () => {
  await directory.modify(`dn: ${userDn('ada')}\nchangetype: delete\n`);
  await directory.modify(
    `dn: ${userDn('ada')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ada\ncn: ada\nsn: ada\nuserPassword: ${PASSWORD}\n`,
  );
  const answer = await latchkey.signIn('ada', PASSWORD);
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('AccountReplaced');
});

test('a directory that cannot be reached is a 503 that says to try later, and counts as nobody’s failure', async () => {
  expect((await latchkey.signIn('barbara', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('barbara');
  await directory.stop();
  for (let i = 0; i < 5; i++) {
    const answer = await latchkey.signIn('grace', PASSWORD);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
  }
  expect((await latchkey.untilToken('barbara')).claims['preferred_username']).toBe('barbara');
});
