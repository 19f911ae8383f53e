// The directory is a real slapd: TLS that verifies, passwords that are refused, overlays that do their work.
import { afterAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { Client, InvalidCredentialsError } from 'ldapts';
import { PEOPLE_DN, userDn } from '../../../dev/directories/entries.ts';
import { startOpenLdap } from '../../../dev/directories/openldap.ts';

const PASSWORD = 'correct horse';
const openldap = await startOpenLdap({
  users: [
    { uid: 'ada', cn: 'Ada Lovelace', mail: 'ada@example.org', password: PASSWORD },
    { uid: 'grace', cn: 'Grace Hopper', password: PASSWORD, attributes: { telephoneNumber: ['1', '2'] } },
  ],
  groups: [{ cn: 'analytics', members: ['ada'] }],
  passwordPolicy: { pwdMaxAge: '3600', pwdLockout: 'TRUE', pwdMaxFailure: '3' },
});
afterAll(() => openldap.stop());

const ca = [readFileSync(openldap.caFile)];

interface Connection {
  name: string;
  connect: (authorities?: Buffer[]) => Promise<Client>;
}

const connections: Connection[] = [
  {
    name: 'LDAPS',
    connect: async (authorities = ca) =>
      new Client({ url: openldap.ldapsUrl, timeout: 5_000, tlsOptions: { ca: authorities } }),
  },
  {
    name: 'StartTLS',
    connect: async (authorities = ca) => {
      const client = new Client({ url: openldap.ldapUrl, timeout: 5_000 });
      await client.startTLS({ ca: authorities, host: '127.0.0.1' });
      return client;
    },
  },
];

describe.each(connections)('over $name', ({ connect }) => {
  test('the right password is taken and a wrong one refused', async () => {
    const client = await connect();
    await client.bind(userDn('ada'), PASSWORD);
    await expect(client.bind(userDn('ada'), 'wrong')).rejects.toThrow(InvalidCredentialsError);
    await client.unbind();
  });

  test('a client that does not know the CA refuses the server', async () => {
    await expect(connect([]).then((client) => client.bind(userDn('ada'), PASSWORD))).rejects.toThrow(
      /self-signed certificate|unable to verify/,
    );
  });
});

async function read(uid: string, attributes: string[]): Promise<Record<string, unknown> | undefined> {
  const client = new Client({ url: openldap.ldapsUrl, timeout: 5_000, tlsOptions: { ca } });
  await client.bind(openldap.bindDn, openldap.bindPassword);
  const { searchEntries } = await client.search(PEOPLE_DN, { filter: `(uid=${uid})`, attributes });
  await client.unbind();
  return searchEntries[0];
}

test('the account of the operator reads entries with their groups, but no password', async () => {
  expect(await read('ada', ['mail', 'memberOf', 'userPassword'])).toMatchObject({
    mail: 'ada@example.org',
    memberOf: 'cn=analytics,ou=groups,dc=example,dc=org',
    userPassword: [],
  });
  expect(await read('grace', ['telephoneNumber'])).toMatchObject({ telephoneNumber: ['1', '2'] });
});

test('nobody reads it without a bind', async () => {
  const client = new Client({ url: openldap.ldapsUrl, timeout: 5_000, tlsOptions: { ca } });
  await expect(client.search(PEOPLE_DN)).rejects.toThrow();
  await client.unbind();
});

test('the password policy sees the time of the password, and an admin can lock an account', async () => {
  expect(await read('grace', ['pwdChangedTime'])).toMatchObject({
    pwdChangedTime: expect.stringMatching(/^\d{14}Z$/),
  });
  await openldap.modify(
    `dn: ${userDn('grace')}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n`,
  );
  const client = new Client({ url: openldap.ldapsUrl, timeout: 5_000, tlsOptions: { ca } });
  await expect(client.bind(userDn('grace'), PASSWORD)).rejects.toThrow(InvalidCredentialsError);
});

test('entries and settings that slapd refuses are errors in its own words', async () => {
  await expect(
    startOpenLdap({ users: [{ uid: 'x', cn: 'x', attributes: { frob: 'x' } }] }),
  ).rejects.toMatchObject({ code: 'DirectoryFailed', message: expect.stringContaining('frob') });
  await expect(startOpenLdap({ users: [], globalLines: ['frobnicate yes'] })).rejects.toMatchObject({
    code: 'ProcessDied',
    message: expect.stringContaining('unknown directive <frobnicate>'),
  });
});
