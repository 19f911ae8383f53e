// Accounts that a real OpenLDAP server lets in although its entries say that they are over.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { directoryErrorOf } from '../support/directory-error.ts';
import { startTestDirectory } from '../support/openldap.ts';
import type { TestDirectory } from '../support/openldap.ts';

const PASSWORD = 'right';
const SHADOW = ['inetOrgPerson', 'posixAccount', 'shadowAccount'];
const POSIX = { uidNumber: '1000', gidNumber: '1000', homeDirectory: '/nowhere' };

let ldap: TestDirectory;

beforeAll(async () => {
  const user = (uid: string, attributes = {}) => ({ uid, cn: uid, password: PASSWORD, attributes });
  ldap = await startTestDirectory({
    users: [
      user('past', { objectClass: SHADOW, ...POSIX, shadowExpire: '1' }),
      user('future', { objectClass: SHADOW, ...POSIX, shadowExpire: '99999' }),
      user('left', { employeeType: 'left' }),
      user('with*(parentheses)', { employeeType: 'left' }),
    ],
  });
});

afterAll(() => ldap.stop());

describe('an account that the server does not look at', () => {
  test('is inactive once its shadowExpire has passed, to whoever knows its password', async () => {
    const directory = ldap.directory();
    expect(await directory.verify('past', PASSWORD)).toEqual({ outcome: 'Inactive', reason: 'Expired' });
    expect(await directory.verify('past', 'wrong')).toEqual({ outcome: 'Refused' });
    expect(await directory.verify('future', PASSWORD)).toMatchObject({ outcome: 'Accepted' });
  });

  test('is not read for what the dialect that is set does not know', async () => {
    const directory = ldap.directory({ dialect: 'edirectory' });
    expect(await directory.verify('past', PASSWORD)).toMatchObject({ outcome: 'Accepted' });
  });

  test('is inactive where the filter of an admin finds it', async () => {
    const directory = ldap.directory({ inactiveFilter: '(employeeType=left)' });
    for (const name of ['left', 'with*(parentheses)']) {
      expect(await directory.verify(name, PASSWORD)).toEqual({ outcome: 'Inactive', reason: 'Excluded' });
      expect(await directory.verify(name, 'wrong')).toEqual({ outcome: 'Refused' });
    }
    expect(await directory.verify('future', PASSWORD)).toMatchObject({ outcome: 'Accepted' });
  });

  test('is active where the filter asks for what the server does not know', async () => {
    const directory = ldap.directory({ inactiveFilter: '(noSuchAttribute=left)' });
    expect(await directory.verify('left', PASSWORD)).toMatchObject({ outcome: 'Accepted' });
  });
});

test.each([['(employeeType=left'], ['left'], ['(uid={username})'], ['(cn=\\c3\\a4)'], ['']])(
  'the filter %j is a fault of the settings, said before anybody is asked',
  async (inactiveFilter) => {
    const verify = async () => ldap.directory({ inactiveFilter }).verify('left', PASSWORD);
    expect((await directoryErrorOf(verify())).message).toMatch(/^The setting inactiveFilter is wrong: /);
  },
);
