// The watch and the policies of a real OpenLDAP server: how long a lock lasts, and how old a password may become.
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { SERVICE_DN, userDn } from '../../../../dev/directories/entries.ts';
import { startOpenLdap, type OpenLdap } from '../../../../dev/directories/openldap.ts';
import type { Spell } from '../../../../src/domain/standing.ts';
import { ldapDirectory } from '../../../../src/directory/ldap/ldap-directory.ts';
import { afterTest } from '../../../support/after-test.ts';
import { settingsOf } from '../../support/settings-of.ts';
import { watchDirectory, type Watched } from '../../support/watched.ts';

const OWN_POLICY = 'cn=services,ou=policies,dc=example,dc=org';
const LOCKED_AT = '20300615120000Z';
const LOCKED_MS = Date.parse('2030-06-15T12:00:00Z');
const OFTEN = { changesIntervalMs: 100, sweepIntervalMs: 200 };
const READABLE = ['database config', `access to * by dn.exact="${SERVICE_DN}" read by * none`];

async function server(globalLines: readonly string[]): Promise<OpenLdap> {
  const started = await startOpenLdap({
    users: ['ada', 'grace'].map((uid) => ({ uid, cn: uid, password: 'right' })),
    passwordPolicy: { pwdLockout: 'TRUE', pwdLockoutDuration: '600', pwdMaxAge: '3600' },
    globalLines,
  });
  afterTest(() => started.stop());
  await started.modify(
    ['ada', 'grace']
      .map(
        (uid) =>
          `dn: ${userDn(uid)}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: ${LOCKED_AT}\n` +
          (uid === 'grace' ? `-\nreplace: pwdPolicySubentry\npwdPolicySubentry: ${OWN_POLICY}\n` : ''),
      )
      .join('\n'),
  );
  return started;
}

const spellsOf = (watched: Watched, name: string) => watched.watch.find(name).finding?.spells ?? [];
const locked = (spells: readonly Spell[]) => spells.find(({ reason }) => reason === 'Locked');
const people = (openldap: OpenLdap) =>
  watchDirectory(settingsOf(openldap, { baseDN: 'ou=people,dc=example,dc=org' }), ['ada', 'grace'], OFTEN);

describe('where the policies of OpenLDAP can be read', () => {
  test('a lock lasts as long as the default policy says, or the one of the account', async () => {
    const openldap = await server(READABLE);
    const watched = people(openldap);
    await watched.until('ada', ({ finding }) => locked(finding?.spells ?? [])?.until === LOCKED_MS + 600_000);
    // That of grace sets no duration; until it has been read, that is not known.
    await watched.until('grace', ({ finding }) => isDeepStrictEqual(finding?.spells, [{ reason: 'Locked', from: LOCKED_MS }])); // prettier-ignore
    expect(spellsOf(watched, 'ada').map(({ reason }) => reason)).toEqual(['Locked', 'PasswordExpired']);

    await openldap.modify(
      `dn: ${OWN_POLICY}\nchangetype: modify\nadd: pwdLockoutDuration\npwdLockoutDuration: 60\n`,
    );
    await watched.until(
      'grace',
      ({ finding }) => locked(finding?.spells ?? [])?.until === LOCKED_MS + 60_000,
    );
  });

  test('a sign-in knows when the password will have expired', async () => {
    const openldap = await server(READABLE);
    await openldap.modify(`dn: ${userDn('ada')}\nchangetype: modify\ndelete: pwdAccountLockedTime\n`);
    const directory = ldapDirectory(settingsOf(openldap, { baseDN: 'ou=people,dc=example,dc=org' }));
    afterTest(() => directory.close());
    expect(await directory.verify('ada', 'right')).toMatchObject({
      outcome: 'Accepted',
      account: { spells: [{ reason: 'PasswordExpired', from: expect.any(Number) }] },
    });
  });
});

test('where they cannot, a lock lasts until the server takes it away, and no age counts', async () => {
  const watched = people(await server([]));
  await watched.until('ada', ({ finding }) => finding !== undefined);
  expect(spellsOf(watched, 'ada')).toEqual([{ reason: 'Locked', from: LOCKED_MS }]);
});
