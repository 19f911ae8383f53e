// Passwords checked against a real 389 Directory Server, whose own tools lock accounts.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PEOPLE_DN, userDn } from '../../../dev/directories/entries.ts';
import { startDirectory389 } from '../../../dev/directories/directory-389.ts';
import type { Directory389 } from '../../../dev/directories/directory-389.ts';
import type { Directory } from '../../../src/directory/directory.ts';
import { ldapDirectory } from '../../../src/directory/ldap/ldap-directory.ts';
import { settingsOf } from '../support/settings-of.ts';

const PASSWORD = 'Analytical-Engine-1843';
const START_TIMEOUT_MS = 3 * 60_000;

let server: Directory389;
let directory: Directory;

beforeAll(async () => {
  server = await startDirectory389({
    users: ['ada', 'locked', 'clumsy', 'again'].map((uid) => ({
      uid,
      cn: `${uid} of the directory`,
      mail: `${uid}@example.org`,
      password: PASSWORD,
    })),
    configuration: { passwordLockout: 'on', passwordMaxFailure: '3' },
  });
  directory = ldapDirectory(settingsOf(server, { baseDN: PEOPLE_DN }));
}, START_TIMEOUT_MS);

afterAll(async () => {
  await directory.close();
  await server.stop();
});

const verify = (username: string, password = PASSWORD) => directory.verify(username, password);

describe('over 389 Directory Server', () => {
  test('the right password is accepted with the account that it belongs to', async () => {
    expect(await verify('ada')).toEqual({
      outcome: 'Accepted',
      account: {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/),
        email: 'ada@example.org',
        displayName: 'ada of the directory',
      },
    });
    expect(await verify('ada', 'wrong')).toEqual({ outcome: 'Refused' });
    expect(await verify('charles')).toEqual({ outcome: 'Refused' });
  });

  // It looks at the lock before the password, so to tell that an account is locked would tell a stranger.
  test('an account that its admin locks reads like a wrong password, until it is unlocked', async () => {
    await server.dsidm('account', 'lock', userDn('locked'));
    expect(await verify('locked')).toEqual({ outcome: 'Refused' });
    expect(await verify('locked', 'wrong')).toEqual({ outcome: 'Refused' });
    await server.dsidm('account', 'unlock', userDn('locked'));
    expect(await verify('locked')).toMatchObject({ outcome: 'Accepted' });
  });

  test('an account that the server locks after wrong passwords is refused, until its admin unlocks it', async () => {
    for (let tries = 0; tries < 3; tries++) await verify('clumsy', 'wrong');
    expect(await verify('clumsy')).toEqual({ outcome: 'Refused' });
    await server.modify(
      `dn: ${userDn('clumsy')}\nchangetype: modify\ndelete: accountUnlockTime\n-\nreplace: passwordRetryCount\npasswordRetryCount: 0\n`,
    );
    expect(await verify('clumsy')).toMatchObject({ outcome: 'Accepted' });
  });

  test('an account that is deleted and made again is another one', async () => {
    const before = await verify('again');
    await server.modify(`dn: ${userDn('again')}\nchangetype: delete\n`);
    expect(await verify('again')).toEqual({ outcome: 'Refused' });
    await server.modify(
      `dn: ${userDn('again')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: again\ncn: again\nsn: again\nuserPassword: ${PASSWORD}\n`,
    );
    const after = await verify('again');
    if (before.outcome !== 'Accepted' || after.outcome !== 'Accepted') throw new Error('refused');
    expect(before.account.id).toBeDefined();
    expect(after.account.id).not.toBe(before.account.id);
  });
});
