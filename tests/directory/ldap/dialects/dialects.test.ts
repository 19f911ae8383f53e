// One table for each dialect: what an entry holds, and what is said of its account at a fixed time.
import { describe, expect, test } from '@jest/globals';
import { standingAt, type SignInReason, type Spell } from '../../../../src/domain/standing.ts';
import { activeDirectorySpells } from '../../../../src/directory/ldap/dialects/active-directory.ts';
import { detectDialect, dialectOf } from '../../../../src/directory/ldap/dialects/dialect.ts';
import type { DialectName } from '../../../../src/directory/ldap/dialects/dialect.ts';
import { directory389Spells } from '../../../../src/directory/ldap/dialects/directory-389.ts';
import { eDirectorySpells } from '../../../../src/directory/ldap/dialects/edirectory.ts';
import { openLdapSpells } from '../../../../src/directory/ldap/dialects/openldap-ppolicy.ts';
import { shadowAccountSpells } from '../../../../src/directory/ldap/dialects/shadow-account.ts';
import type { Entry } from '../../../../src/directory/ldap/entry.ts';
import { entryWith } from '../../support/entry-with.ts';

const NOW = new Date('2030-06-15T12:00:00Z');
const PAST = '20300615115959Z';
const FUTURE = '20300615120001Z';
const SECOND_MS = 1_000;
const BINARY = Buffer.from([0xff, 0xfe, 0x00]);
const EITHER: readonly SignInReason[] = ['Locked', 'PasswordExpired'];

type Attributes = Record<string, (string | Buffer)[]>;
/** The verdict; with those that only keep people from signing in counted, too; when it changes, in seconds from NOW. */
type Row = readonly [Attributes, string, string?, number?];

/** 100 ns since 1601. */
const fileTime = (secondsFromNow: number) =>
  String((BigInt(NOW.getTime()) + 11_644_473_600_000n) * 10_000n + BigInt(secondsFromNow) * 10_000_000n);
const days = Math.floor(NOW.getTime() / 86_400_000);

function say(
  spells: readonly Spell[],
  endsSession: readonly SignInReason[] = [],
): [string, number | undefined] {
  const { state, reason, changesAt } = standingAt(spells, NOW, endsSession);
  const words = state === 'Active' ? state : `${state} ${reason}`;
  return [words, changesAt && (changesAt.getTime() - NOW.getTime()) / SECOND_MS];
}

function hold(
  spellsOf: (entry: Entry) => readonly Spell[],
  [attributes, verdict, strict, changes]: Row,
): void {
  const spells = spellsOf(entryWith(attributes));
  expect(say(spells)[0]).toBe(verdict);
  expect(say(spells, EITHER)).toEqual([strict ?? verdict, changes]);
}

describe('Active Directory', () => {
  const NORMAL = { userAccountControl: ['512'] };
  test.each<Row>([
    [NORMAL, 'Active'],
    [{ userAccountControl: ['514'] }, 'Inactive Disabled'],
    [{ userAccountControl: ['66050'] }, 'Inactive Disabled'],
    [{ userAccountControl: ['66048'] }, 'Active'],
    [{ userAccountControl: ['-2147483646'] }, 'Inactive Disabled'],
    // Read as a number of 53 bits, or as text, these would be something else.
    [{ ...NORMAL, accountExpires: ['0'] }, 'Active'],
    [{ ...NORMAL, accountExpires: ['9223372036854775807'] }, 'Active'],
    [{ ...NORMAL, accountExpires: [fileTime(0)] }, 'Inactive Expired'],
    [{ ...NORMAL, accountExpires: [fileTime(-1)] }, 'Inactive Expired'],
    [{ ...NORMAL, accountExpires: [fileTime(1)] }, 'Active', 'Active', 1],
    [{ ...NORMAL, 'msDS-User-Account-Control-Computed': ['0'] }, 'Active'],
    [{ ...NORMAL, 'msDS-User-Account-Control-Computed': ['16'] }, 'Active', 'Inactive Locked'],
    [{ ...NORMAL, 'msDS-User-Account-Control-Computed': ['8388608'] }, 'Active', 'Inactive PasswordExpired'],
    [
      { ...NORMAL, 'msDS-UserPasswordExpiryTimeComputed': [fileTime(-1)] },
      'Active',
      'Inactive PasswordExpired',
    ],
    [{ ...NORMAL, 'msDS-UserPasswordExpiryTimeComputed': [fileTime(60)] }, 'Active', 'Active', 60],
    [{ ...NORMAL, 'msDS-UserPasswordExpiryTimeComputed': ['9223372036854775807'] }, 'Active'],
    [{ ...NORMAL, 'msDS-UserPasswordExpiryTimeComputed': ['0'] }, 'Active'],
    // AD LDS
    [{ 'msDS-UserAccountDisabled': ['TRUE'] }, 'Inactive Disabled'],
    [{ 'msDS-UserAccountDisabled': ['FALSE'] }, 'Active'],
    // What bindDN cannot read, and what is malformed
    [{}, 'Unknown Unreadable'],
    [{ userAccountControl: [] }, 'Unknown Unreadable'],
    [{ userAccountControl: ['512', '514'] }, 'Unknown Unreadable'],
    [{ userAccountControl: ['0x202'] }, 'Unknown Unreadable'],
    [{ userAccountControl: [''] }, 'Unknown Unreadable'],
    [{ userAccountControl: [BINARY] }, 'Unknown Unreadable'],
    [{ userAccountControl: ['9'.repeat(30)] }, 'Unknown Unreadable'],
    [{ ...NORMAL, accountExpires: ['-1'] }, 'Unknown Unreadable'],
    [{ ...NORMAL, accountExpires: ['9223372036854775808'] }, 'Unknown Unreadable'],
    [{ ...NORMAL, accountExpires: ['soon'] }, 'Unknown Unreadable'],
    [{ ...NORMAL, accountExpires: [fileTime(1), fileTime(2)] }, 'Unknown Unreadable'],
    [{ userAccountControl: ['514'], accountExpires: ['soon'] }, 'Inactive Disabled'],
  ])('%j: %s', (...row) => hold(activeDirectorySpells, row));
});

describe('389 Directory Server and FreeIPA', () => {
  test.each<Row>([
    [{}, 'Active'],
    [{ nsAccountLock: ['TRUE'] }, 'Inactive Disabled'],
    [{ nsAccountLock: ['true'] }, 'Inactive Disabled'],
    [{ nsaccountlock: ['True'] }, 'Inactive Disabled'],
    [{ nsAccountLock: ['FALSE'] }, 'Active'],
    [{ krbPrincipalExpiration: [PAST] }, 'Inactive Expired'],
    [{ krbPrincipalExpiration: [FUTURE] }, 'Active', 'Active', 1],
    [{ krbPasswordExpiration: [PAST] }, 'Active', 'Inactive PasswordExpired'],
    [{ passwordExpirationTime: [PAST] }, 'Active', 'Inactive PasswordExpired'],
    [{ passwordExpirationTime: [FUTURE] }, 'Active', 'Active', 1],
    [{ accountUnlockTime: [FUTURE] }, 'Active', 'Inactive Locked', 1],
    [{ accountUnlockTime: [PAST] }, 'Active'],
    [{ accountUnlockTime: ['19700101000000Z'] }, 'Active', 'Inactive Locked'],
    [{ nsAccountLock: ['yes'] }, 'Unknown Unreadable'],
    [{ nsAccountLock: ['TRUE', 'FALSE'] }, 'Unknown Unreadable'],
    [{ nsAccountLock: [BINARY] }, 'Unknown Unreadable'],
    [{ krbPrincipalExpiration: ['tomorrow'] }, 'Unknown Unreadable'],
    [{ krbPrincipalExpiration: [PAST, FUTURE] }, 'Unknown Unreadable'],
    [{ nsAccountLock: ['TRUE'], krbPrincipalExpiration: ['tomorrow'] }, 'Inactive Disabled'],
  ])('%j: %s', (...row) => hold(directory389Spells, row));
});

describe('OpenLDAP with ppolicy', () => {
  test.each<Row>([
    [{}, 'Active'],
    [{ pwdAccountLockedTime: ['000001010000Z'] }, 'Inactive Disabled'],
    [{ pwdAccountLockedTime: [PAST] }, 'Active', 'Inactive Locked'],
    [{ pwdStartTime: [PAST] }, 'Active'],
    [{ pwdStartTime: [FUTURE] }, 'Inactive NotYetValid', 'Inactive NotYetValid', 1],
    [{ pwdEndTime: [PAST] }, 'Inactive Expired'],
    [{ pwdEndTime: [FUTURE] }, 'Active', 'Active', 1],
    [{ pwdReset: ['TRUE'] }, 'Active', 'Inactive PasswordExpired'],
    [{ pwdReset: ['FALSE'] }, 'Active'],
    [{ pwdChangedTime: ['20000101000000Z'] }, 'Active'],
    [{ pwdAccountLockedTime: ['for good'] }, 'Unknown Unreadable'],
    [{ pwdAccountLockedTime: [PAST, '000001010000Z'] }, 'Unknown Unreadable'],
    [{ pwdAccountLockedTime: [BINARY] }, 'Unknown Unreadable'],
    [{ pwdEndTime: ['2030'] }, 'Unknown Unreadable'],
    [{ pwdReset: ['1'] }, 'Unknown Unreadable'],
  ])('%j: %s', (...row) => hold((entry) => openLdapSpells(entry), row));

  const POLICY = { lockoutMs: 60 * SECOND_MS, maxAgeMs: 60 * SECOND_MS };
  test.each<Row>([
    [{ pwdAccountLockedTime: [PAST] }, 'Active', 'Inactive Locked', 59],
    [{ pwdAccountLockedTime: ['20300615115900Z'] }, 'Active'],
    [{ pwdAccountLockedTime: ['000001010000Z'] }, 'Inactive Disabled'],
    [{ pwdChangedTime: [PAST] }, 'Active', 'Active', 59],
    [{ pwdChangedTime: ['20300615115900Z'] }, 'Active', 'Inactive PasswordExpired'],
  ])('with a lockout and an age of a minute, %j: %s', (...row) =>
    hold((entry) => openLdapSpells(entry, POLICY), row),
  );
});

describe('shadowAccount', () => {
  test.each<Row>([
    [{}, 'Active'],
    [{ shadowExpire: ['-1'] }, 'Active'],
    [{ shadowExpire: ['0'] }, 'Active'],
    [{ shadowExpire: [String(days)] }, 'Inactive Expired'],
    [{ shadowExpire: ['1'] }, 'Inactive Expired'],
    [{ shadowExpire: [String(days + 1)] }, 'Active', 'Active', 12 * 60 * 60],
    [{ shadowLastChange: ['0'] }, 'Active', 'Inactive PasswordExpired'],
    [{ shadowLastChange: [String(days - 91)], shadowMax: ['90'] }, 'Active', 'Inactive PasswordExpired'],
    [{ shadowLastChange: [String(days - 90)], shadowMax: ['90'] }, 'Active', 'Active', 12 * 60 * 60],
    [{ shadowLastChange: ['10'], shadowMax: ['-1'] }, 'Active'],
    [{ shadowLastChange: ['10'] }, 'Active'],
    [{ shadowExpire: ['9223372036854775807'] }, 'Active'],
    [{ shadowExpire: ['never'] }, 'Unknown Unreadable'],
    [{ shadowExpire: ['1', '99999'] }, 'Unknown Unreadable'],
    [{ shadowExpire: [BINARY] }, 'Unknown Unreadable'],
  ])('%j: %s', (...row) => hold(shadowAccountSpells, row));
});

describe('eDirectory', () => {
  test.each<Row>([
    [{}, 'Active'],
    [{ loginDisabled: ['TRUE'] }, 'Inactive Disabled'],
    [{ loginDisabled: ['FALSE'] }, 'Active'],
    [{ loginExpirationTime: [PAST] }, 'Inactive Expired'],
    [{ loginExpirationTime: [FUTURE] }, 'Active', 'Active', 1],
    [{ lockedByIntruder: ['TRUE'] }, 'Active', 'Inactive Locked'],
    [{ lockedByIntruder: ['TRUE'], loginIntruderResetTime: [FUTURE] }, 'Active', 'Inactive Locked', 1],
    [{ lockedByIntruder: ['TRUE'], loginIntruderResetTime: [PAST] }, 'Active'],
    [{ passwordExpirationTime: [PAST] }, 'Active', 'Inactive PasswordExpired'],
    [{ loginDisabled: ['on'] }, 'Unknown Unreadable'],
    [{ loginExpirationTime: [BINARY] }, 'Unknown Unreadable'],
    [{ loginDisabled: ['TRUE', 'TRUE'] }, 'Unknown Unreadable'],
  ])('%j: %s', (...row) => hold(eDirectorySpells, row));
});

describe('when the password was last changed', () => {
  const at = NOW.getTime();
  test.each<[DialectName, Attributes, number | undefined]>([
    ['active-directory', { pwdLastSet: [fileTime(0)] }, at],
    ['active-directory', { pwdLastSet: ['0'], 'msDS-User-Account-Control-Computed': ['8388608'] }, Infinity],
    ['active-directory', { pwdLastSet: ['0'], 'msDS-User-Account-Control-Computed': ['0'] }, undefined],
    ['active-directory', { pwdLastSet: ['-1'] }, undefined],
    ['active-directory', { pwdLastSet: [fileTime(0), fileTime(1)] }, undefined],
    ['openldap', { pwdChangedTime: ['20300615120000Z'] }, at],
    ['openldap', { pwdChangedTime: ['yesterday'] }, undefined],
    ['389ds', { pwdUpdateTime: ['20300615120000Z'] }, at],
    ['389ds', { krbLastPwdChange: ['20300615120000Z'], pwdUpdateTime: [PAST] }, at],
    ['389ds', { passwordExpirationTime: [FUTURE] }, undefined],
    ['edirectory', { pwdChangedTime: [PAST] }, undefined],
    ['generic', { pwdChangedTime: [PAST] }, undefined],
    ['openldap', {}, undefined],
  ])('%s: %j', (name, attributes, changedAt) => {
    expect(dialectOf(name).passwordChangedAt(entryWith(attributes))).toBe(changedAt);
  });
});

describe('the dialect of a server', () => {
  test.each<[Attributes, string]>([
    [{ supportedCapabilities: ['1.2.840.113556.1.4.800', '1.2.840.113556.1.4.1670'] }, 'active-directory'],
    [{ supportedCapabilities: ['1.2.840.113556.1.4.1851'] }, 'active-directory'],
    [{ vendorName: ['389 Project'], objectClass: ['top'] }, '389ds'],
    [{ vendorName: ['NetIQ Corporation'] }, 'edirectory'],
    [{ vendorName: ['Novell, Inc.'] }, 'edirectory'],
    [{ objectClass: ['top', 'OpenLDAProotDSE'] }, 'openldap'],
    [{ vendorName: ['Oracle Corporation'], objectClass: ['top'] }, 'generic'],
    [{ supportedCapabilities: ['1.2.3'] }, 'generic'],
    [{ vendorName: [BINARY] }, 'generic'],
    [{}, 'generic'],
  ])('whose root says %j is %s', (root, name) => {
    expect(detectDialect(entryWith(root)).name).toBe(name);
  });

  test.each(['openldap', '389ds', 'generic'] as const)(
    '%s reads the entries of shadow accounts, too',
    (name) => {
      const expired = { shadowExpire: ['1'] };
      const { spellsOf } = dialectOf(name);
      expect(say(spellsOf(entryWith({ ...expired, objectClass: ['person', 'ShadowAccount'] })))[0]).toBe(
        'Inactive Expired',
      );
      expect(say(spellsOf(entryWith({ ...expired, objectClass: ['person'] })))[0]).toBe('Active');
    },
  );

  test('asks for every attribute that it reads', () => {
    const entry = entryWith({});
    const asked = new Set<string>();
    const spy: Entry = { ...entry, attributes: new Map() };
    spy.attributes.get = (name) => {
      asked.add(name);
      return name === 'objectclass' ? [Buffer.from('shadowAccount')] : undefined;
    };
    for (const name of ['active-directory', '389ds', 'openldap', 'edirectory', 'generic'] as const) {
      asked.clear();
      const { attributes, spellsOf, passwordChangedAt } = dialectOf(name);
      spellsOf(spy);
      passwordChangedAt(spy);
      expect(attributes.map((attribute) => attribute.toLowerCase())).toEqual(
        expect.arrayContaining([...asked]),
      );
      expect(asked.size).toBeGreaterThan(2);
    }
  });
});
