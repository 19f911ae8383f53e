// Passwords checked against a real OpenLDAP server.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { userDn } from '../../../dev/directories/entries.ts';
import type { Verdict } from '../../../src/directory/directory.ts';
import { directoryErrorOf } from '../support/directory-error.ts';
import { ADA_PASSWORD, startTestDirectory } from '../support/openldap.ts';
import type { TestDirectory } from '../support/openldap.ts';
import { startProxy } from '../support/proxy.ts';

const REFUSED: Verdict = { outcome: 'Refused' };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let ldap: TestDirectory;

beforeAll(async () => {
  ldap = await startTestDirectory({
    users: [
      { uid: 'grace', cn: 'Grace Hopper', password: 'COBOL-1959' },
      { uid: 'jürgen', cn: 'Jürgen Größe', password: 'Straße-ü-🔑' },
      { uid: 'star*(name)\\', cn: 'Star', password: 'star' },
      { uid: 'medora', cn: 'Medora Lovelace', password: 'medora' },
      { uid: 'nobody', cn: 'No Password' },
      {
        uid: 'many',
        cn: 'Many',
        password: 'many',
        attributes: { mail: ['first@example.org', 'second@example.org'], displayName: 'Many Mails' },
      },
    ],
  });
});

afterAll(() => ldap.stop());

describe('over LDAP', () => {
  test.each([
    ['LDAPS', {}],
    ['StartTLS', { startTls: true }],
  ])('the right password is accepted with the account that it belongs to, over %s', async (_name, change) => {
    const directory = ldap.directory({
      ...change,
      ...('startTls' in change && { url: ldap.server.ldapUrl }),
    });
    expect(await directory.verify('ada', ADA_PASSWORD)).toEqual({
      outcome: 'Accepted',
      account: { id: expect.stringMatching(UUID), email: 'ada@example.org', displayName: 'Ada Lovelace' },
    });
  });

  test.each([
    ['another case', 'ADA', ADA_PASSWORD],
    ['full width', 'ａｄａ', ADA_PASSWORD],
    ['characters beyond ASCII', 'jürgen', 'Straße-ü-🔑'],
    ['characters beyond ASCII, decomposed', 'ju\u0308rgen', 'Straße-ü-🔑'],
    ['characters that filters escape', 'star*(name)\\', 'star'],
  ])('a username with %s is found', async (_name, username, password) => {
    expect(await ldap.directory().verify(username, password)).toMatchObject({ outcome: 'Accepted' });
  });

  test('the first of several values is taken', async () => {
    expect(await ldap.directory().verify('many', 'many')).toMatchObject({
      account: { email: 'first@example.org', displayName: 'Many Mails' },
    });
  });

  test.each([
    ['a wrong password', 'ada', 'wrong'],
    ['the password of somebody else', 'ada', 'COBOL-1959'],
    ['the right password in another case', 'ada', ADA_PASSWORD.toUpperCase()],
    ['an unknown user', 'charles', ADA_PASSWORD],
    ['an account without a password', 'nobody', 'x'],
    ['an empty password', 'ada', ''],
    ['an empty username', '', ADA_PASSWORD],
    ['a star', '*', ADA_PASSWORD],
    ['a prefix and a star', 'ad*', ADA_PASSWORD],
    ['an injected filter', 'a)(uid=*', ADA_PASSWORD],
    ['an injected or', 'x)(|(uid=ada)', ADA_PASSWORD],
    ['a NUL', 'ada\0', ADA_PASSWORD],
    ['a line break', 'ada\n', ADA_PASSWORD],
    ['half a surrogate pair', 'ada\ud800', ADA_PASSWORD],
    ['a username of 256 characters', 'a'.repeat(256), ADA_PASSWORD],
    ['a username of 100,000 characters', 'a'.repeat(100_000), ADA_PASSWORD],
    ['a password of 100,000 characters', 'ada', 'a'.repeat(100_000)],
    ['a DN in place of a username', userDn('ada'), ADA_PASSWORD],
    ['a trailing space, which the server ignores', 'ada ', ADA_PASSWORD],
    ['a zero-width character, which some servers ignore', 'a\u200bda', ADA_PASSWORD],
  ])('%s is refused', async (_name, username, password) => {
    expect(await ldap.directory().verify(username, password)).toEqual(REFUSED);
  });

  test('nothing is sent for an empty password or a username with control characters', async () => {
    const proxy = await startProxy({ to: ldap.tlsPort });
    const directory = ldap.directory({ url: `ldaps://127.0.0.1:${proxy.port}` });
    await directory.verify('ada', '');
    await directory.verify('ada\0', ADA_PASSWORD);
    expect(proxy.connections()).toBe(0);
    await directory.verify('ada', ADA_PASSWORD);
    expect(proxy.connections()).toBe(2);
  });

  test('an unknown user takes as many connections and as long as a wrong password', async () => {
    const proxy = await startProxy({ to: ldap.tlsPort });
    const directory = ldap.directory({ url: `ldaps://127.0.0.1:${proxy.port}` });
    const cost = async (username: string): Promise<{ connections: number; ms: number }> => {
      const before = proxy.connections();
      const startedAt = performance.now();
      expect(await directory.verify(username, 'wrong')).toEqual(REFUSED);
      return { connections: proxy.connections() - before, ms: performance.now() - startedAt };
    };
    const known = [];
    const unknown = [];
    for (let time = 0; time < 4; time += 1) {
      known.push(await cost('ada'));
      unknown.push(await cost('charles'));
    }
    expect(new Set([...known, ...unknown].map(({ connections }) => connections))).toEqual(new Set([2]));
    // What else the machine does makes either slower, now and then; nothing makes it faster.
    const [least = 0, leastUnknown = 0] = [known, unknown].map((all) => Math.min(...all.map(({ ms }) => ms)));
    expect(Math.min(least, leastUnknown)).toBeGreaterThan(490);
    expect(Math.abs(least - leastUnknown)).toBeLessThan(250);
  });

  test('two entries for one username are a fault of the settings, not a choice', async () => {
    const directory = ldap.directory({ userFilter: '(sn={username})' });
    const error = await directoryErrorOf(directory.verify('Lovelace', ADA_PASSWORD), [ADA_PASSWORD]);
    expect(error.code).toBe('DirectoryMisconfigured');
    expect(error.message).toMatch(
      /Several entries match one username: narrow the settings userFilter or baseDN/,
    );
  });

  test('a username may be looked for in several attributes', async () => {
    const directory = ldap.directory({ userFilter: '(|(uid={username})(mail={username}))' });
    expect(await directory.verify('Ada@Example.org', ADA_PASSWORD)).toMatchObject({ outcome: 'Accepted' });
  });

  test('an attribute that bindDN cannot read is a fault of the settings', async () => {
    const directory = ldap.directory({
      userFilter: '(|(uid={username})(homePhone={username}))',
      baseDN: userDn('ada'),
    });
    expect(await directory.verify('ada', ADA_PASSWORD)).toMatchObject({ outcome: 'Accepted' });
    const blind = ldap.directory({
      userFilter: '(|(objectClass=inetOrgPerson)(homePhone={username}))',
      baseDN: userDn('ada'),
    });
    expect((await directoryErrorOf(blind.verify('ada', ADA_PASSWORD))).message).toMatch(
      /bindDN cannot read homePhone/,
    );
  });

  test('a reference to another server is no entry', async () => {
    await ldap.server.modify(
      'dn: ou=elsewhere,dc=example,dc=org\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://192.0.2.1/dc=elsewhere\n',
    );
    expect(await ldap.directory().verify('ada', ADA_PASSWORD)).toMatchObject({ outcome: 'Accepted' });
    expect(await ldap.directory().verify('charles', ADA_PASSWORD)).toEqual(REFUSED);
  });

  test.each([
    [
      'a wrong password of bindDN',
      { bindPassword: () => Promise.resolve('wrong-service') },
      /Check bindDN and its password/,
    ],
    ['an empty password of bindDN', { bindPassword: () => Promise.resolve('') }, /its password is empty/],
    [
      'a password of bindDN that cannot be read',
      { bindPassword: () => Promise.reject(new Error('ENOENT')) },
      /its password cannot be read/,
    ],
    ['an unknown bindDN', { bindDN: 'cn=nobody,dc=example,dc=org' }, /Check bindDN and its password/],
    ['a bindDN that is no DN', { bindDN: 'latchkey' }, /Check bindDN and its password/],
    ['a baseDN that is not there', { baseDN: 'dc=example,dc=com' }, /check baseDN/],
    ['a baseDN below one that is there', { baseDN: 'ou=nowhere,dc=example,dc=org' }, /check baseDN/],
    ['an id that entries do not have', { idAttribute: 'employeeNumber' }, /correct the setting idAttribute/],
  ])('%s is a fault of the settings', async (_name, change, message) => {
    const error = await directoryErrorOf(ldap.directory(change).verify('ada', ADA_PASSWORD), [
      ADA_PASSWORD,
      ldap.server.bindPassword,
      'wrong-service',
    ]);
    expect(error.code).toBe('DirectoryMisconfigured');
    expect(error.message).toMatch(message);
  });

  test('a changed password of bindDN counts at once', async () => {
    let password = 'wrong';
    const directory = ldap.directory({ bindPassword: () => Promise.resolve(password) });
    expect((await directoryErrorOf(directory.verify('ada', ADA_PASSWORD))).code).toBe(
      'DirectoryMisconfigured',
    );
    password = ldap.server.bindPassword;
    expect(await directory.verify('ada', ADA_PASSWORD)).toMatchObject({ outcome: 'Accepted' });
  });

  test('sixteen conversations go on at once, sixty-four wait, and the rest are told to try again', async () => {
    const proxy = await startProxy({ to: ldap.tlsPort });
    const directory = ldap.directory({ url: `ldaps://127.0.0.1:${proxy.port}`, timeoutMs: 60_000 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, () => directory.verify('ada', ADA_PASSWORD)),
    );
    const rejected = outcomes.filter(({ status }) => status === 'rejected');
    const accepted = outcomes.filter(
      (outcome) => outcome.status === 'fulfilled' && outcome.value.outcome === 'Accepted',
    );
    expect([accepted.length, rejected.length]).toEqual([80, 20]);
    for (const outcome of rejected)
      expect(outcome).toMatchObject({ reason: { code: 'DirectoryUnreachable' } });
    // The proxy sees the end of a connection a moment after the client: each of the sixteen may show twice.
    expect(proxy.mostAtOnce()).toBeLessThanOrEqual(32);
  });

  test('a closed directory answers nobody', async () => {
    const directory = ldap.directory();
    await directory.close();
    expect((await directoryErrorOf(directory.verify('ada', ADA_PASSWORD))).code).toBe('DirectoryUnreachable');
  });
});
