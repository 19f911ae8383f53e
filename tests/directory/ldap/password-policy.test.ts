// Expired, reset and locked passwords on a real OpenLDAP server with the ppolicy overlay.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { userDn } from '../../../dev/directories/entries.ts';
import type { Directory } from '../../../src/directory/directory.ts';
import { startTestDirectory } from '../support/openldap.ts';
import type { TestDirectory } from '../support/openldap.ts';

const MAX_FAILURES = 3;

let ldap: TestDirectory;
let directory: Directory;

beforeAll(async () => {
  ldap = await startTestDirectory({
    passwordPolicy: {
      pwdMaxAge: '3600',
      pwdMustChange: 'TRUE',
      pwdLockout: 'TRUE',
      pwdMaxFailure: String(MAX_FAILURES),
    },
    users: ['expired', 'reset', 'locked', 'clumsy', 'target'].map((uid) => ({
      uid,
      cn: uid,
      password: 'right',
    })),
  });
  await setOperational('expired', 'pwdChangedTime', '20200101000000Z');
  await setOperational('reset', 'pwdReset', 'TRUE');
  await setOperational('locked', 'pwdAccountLockedTime', '000001010000Z');
  directory = ldap.directory();
});

afterAll(() => ldap.stop());

function setOperational(uid: string, attribute: string, value: string): Promise<void> {
  return ldap.server.modify(
    `dn: ${userDn(uid)}\nchangetype: modify\nreplace: ${attribute}\n${attribute}: ${value}\n`,
  );
}

describe('with a password policy', () => {
  test.each([
    ['an expired password', 'expired'],
    ['a password that was reset', 'reset'],
  ])('%s is said to have expired, to whoever knows it', async (_name, uid) => {
    expect(await directory.verify(uid, 'right')).toEqual({ outcome: 'PasswordExpired' });
    expect(await directory.verify(uid, 'wrong')).toEqual({ outcome: 'Refused' });
  });

  test('a locked account is refused, with the right password as with a wrong one', async () => {
    expect(await directory.verify('locked', 'right')).toEqual({ outcome: 'Refused' });
    expect(await directory.verify('locked', 'wrong')).toEqual({ outcome: 'Refused' });
  });

  test('the server locks an account after too many wrong passwords', async () => {
    expect(await directory.verify('clumsy', 'right')).toMatchObject({ outcome: 'Accepted' });
    await Promise.all(Array.from({ length: MAX_FAILURES }, () => directory.verify('clumsy', 'wrong')));
    expect(await directory.verify('clumsy', 'right')).toEqual({ outcome: 'Refused' });
  });

  test('spellings that only the server takes for a username cannot lock its account', async () => {
    const spellings = ['target ', ' target', 'target  ', '  target', ' target '];
    await Promise.all(spellings.map((spelling) => directory.verify(spelling, 'wrong')));
    expect(await directory.verify('target', 'right')).toMatchObject({ outcome: 'Accepted' });
  });
});
