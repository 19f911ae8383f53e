// Passwords checked against a real Samba as an Active Directory, whose own tools disable, expire and lock accounts.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SAMBA_SUFFIX, sambaUserDn, startSamba } from '../../../dev/directories/samba.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import type { Samba } from '../../../dev/directories/samba.ts';
import type { Directory } from '../../../src/directory/directory.ts';
import { ldapDirectory } from '../../../src/directory/ldap/ldap-directory.ts';
import { settingsOf } from '../support/settings-of.ts';
import { watchDirectory } from '../support/watched.ts';

const PASSWORD = 'Analytical-Engine-1843';
const START_TIMEOUT_MS = 5 * 60_000;
const NEVER_MS = 60 * 60_000;
const BASE = { baseDN: SAMBA_SUFFIX, userFilter: '(&(objectClass=user)(sAMAccountName={username}))' };

let samba: Samba;
let directory: Directory;

beforeAll(async () => {
  samba = await startSamba({
    users: ['ada', 'disabled', 'expired', 'clumsy', 'reset', 'again'].map((uid) => ({
      uid,
      cn: `${uid} of the domain`,
      mail: `${uid}@example.org`,
      password: PASSWORD,
    })),
    passwordSettings: ['--account-lockout-threshold=3'],
  });
  directory = ldapDirectory(settingsOf(samba, BASE));
}, START_TIMEOUT_MS);

afterAll(async () => {
  await directory.close();
  await samba.stop();
});

const verify = (username: string, password = PASSWORD) => directory.verify(username, password);

describe('over Active Directory', () => {
  test('the right password is accepted with the account that it belongs to', async () => {
    expect(await verify('ADA')).toEqual({
      outcome: 'Accepted',
      account: {
        id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
        email: 'ada@example.org',
        displayName: 'ada of the domain',
        passwordChangedAt: expect.any(Number),
      },
    });
    expect(await verify('ada', 'wrong')).toEqual({ outcome: 'Refused' });
    expect(await verify('charles')).toEqual({ outcome: 'Refused' });
  });

  test('an account that its admin disables is inactive to whoever knows the password, until it is enabled', async () => {
    await samba.sambaTool('user', 'disable', 'disabled');
    expect(await verify('disabled')).toEqual({ outcome: 'Inactive', reason: 'Disabled' });
    expect(await verify('disabled', 'wrong')).toEqual({ outcome: 'Refused' });
    await samba.sambaTool('user', 'enable', 'disabled');
    expect(await verify('disabled')).toMatchObject({ outcome: 'Accepted' });
  });

  test('an account that has expired is inactive, and one that will expire is not', async () => {
    await samba.sambaTool('user', 'setexpiry', 'expired', '--days=1');
    expect(await verify('expired')).toMatchObject({ outcome: 'Accepted' });
    // A second before 2020; samba-tool sets no time in the past.
    await samba.modify(
      `dn: ${sambaUserDn('expired')}\nchangetype: modify\nreplace: accountExpires\naccountExpires: 132223103990000000\n`,
    );
    expect(await verify('expired')).toEqual({ outcome: 'Inactive', reason: 'Expired' });
    await samba.sambaTool('user', 'setexpiry', 'expired', '--noexpiry');
    expect(await verify('expired')).toMatchObject({ outcome: 'Accepted' });
  });

  test('an account that the server locks after wrong passwords is refused, until its admin unlocks it', async () => {
    for (let tries = 0; tries < 3; tries++) await verify('clumsy', 'wrong');
    expect(await verify('clumsy')).toEqual({ outcome: 'Refused' });
    await samba.sambaTool('user', 'unlock', 'clumsy');
    expect(await verify('clumsy')).toMatchObject({ outcome: 'Accepted' });
  });

  test('a password that its admin sets was changed at that time', async () => {
    const changedAt = async (password?: string) => {
      const verdict = await verify('again', password);
      return verdict.outcome === 'Accepted' ? verdict.account.passwordChangedAt : undefined;
    };
    const before = await changedAt();
    await samba.sambaTool('user', 'setpassword', 'again', '--newpassword=Difference-Engine-1822');
    expect(await changedAt('Difference-Engine-1822')).toBeGreaterThan(before ?? Infinity);
    await samba.sambaTool('user', 'setpassword', 'again', `--newpassword=${PASSWORD}`);
  });

  test('a member of a group is one of the groups that it is in, too, at the sign-in and to the sweep', async () => {
    for (const group of ['inner', 'outer', 'empty']) await samba.sambaTool('group', 'add', group);
    await samba.sambaTool('group', 'addmembers', 'inner', 'ada');
    await samba.sambaTool('group', 'addmembers', 'outer', 'inner');
    const groups = ['inner', 'outer', 'empty', 'gone'].map((name) => `cn=${name},cn=users,${SAMBA_SUFFIX}`);
    const [inner, outer, , gone] = groups;
    const expected = { groups: [inner, outer], unknown: [gone] };
    const verdict = await directory.verify('ada', PASSWORD, groups);
    expect(verdict).toMatchObject({ outcome: 'Accepted', account: { membership: expected } });

    const intervals = { groups: () => groups, changesIntervalMs: 50, sweepIntervalMs: NEVER_MS };
    const { watch } = watchDirectory(settingsOf(samba, BASE), ['ada'], intervals);
    const isKnown = () => watch.find('ada').membership !== undefined;
    await waitUntil('the first sweep', 60_000, isKnown);
    expect(watch.find('ada').membership).toMatchObject(expected);
    await samba.sambaTool('group', 'removemembers', 'outer', 'inner');
    // By the outer group's own entry, long before it is time to sweep.
    await waitUntil('the change', 60_000, () => watch.find('ada').membership?.groups.length === 1);
  });

  test('a password that has to be changed has expired', async () => {
    await samba.modify(
      `dn: ${sambaUserDn('reset')}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 0\n`,
    );
    expect(await verify('reset')).toEqual({ outcome: 'PasswordExpired' });
    expect(await verify('reset', 'wrong')).toEqual({ outcome: 'Refused' });
  });

  test('an account that is deleted and made again is another one', async () => {
    const before = await verify('again');
    await samba.sambaTool('user', 'delete', 'again');
    expect(await verify('again')).toEqual({ outcome: 'Refused' });
    await samba.sambaTool('user', 'create', 'again', PASSWORD);
    const after = await verify('again');
    if (before.outcome !== 'Accepted' || after.outcome !== 'Accepted') throw new Error('refused');
    expect(before.account.id).toBeDefined();
    expect(after.account.id).not.toBe(before.account.id);
  });

  test('a filter of an admin is asked there, too', async () => {
    const strict = ldapDirectory(settingsOf(samba, { ...BASE, inactiveFilter: '(mail=ada@*)' }));
    expect(await strict.verify('ada', PASSWORD)).toEqual({ outcome: 'Inactive', reason: 'Excluded' });
    expect(await strict.verify('disabled', PASSWORD)).toMatchObject({ outcome: 'Accepted' });
    await strict.close();
  });

  test('StartTLS does as well as LDAPS', async () => {
    const overStartTls = ldapDirectory(settingsOf(samba, { ...BASE, url: samba.ldapUrl, startTls: true }));
    expect(await overStartTls.verify('ada', PASSWORD)).toMatchObject({ outcome: 'Accepted' });
    await overStartTls.close();
  });
});
