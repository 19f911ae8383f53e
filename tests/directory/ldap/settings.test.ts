// The settings of an LDAP directory: what is refused, and that the setting is named.
import { describe, expect, test } from '@jest/globals';
import { checkedSettings } from '../../../src/directory/ldap/settings.ts';
import type { LdapSettings } from '../../../src/directory/ldap/settings.ts';

const GOOD: LdapSettings = {
  url: 'ldaps://directory.example.org',
  startTls: false,
  bindDN: 'cn=latchkey,dc=example,dc=org',
  bindPassword: () => Promise.resolve('secret'),
  baseDN: 'dc=example,dc=org',
};

describe('LDAP settings', () => {
  test.each([
    ['ldaps://directory.example.org', false, 'directory.example.org', 636],
    ['ldaps://directory.example.org:1636/', false, 'directory.example.org', 1636],
    ['LDAP://directory.example.org', true, 'directory.example.org', 389],
    ['ldap://[::1]:1389', true, '::1', 1389],
  ])('take %s', (url, startTls, host, port) => {
    expect(checkedSettings({ ...GOOD, url, startTls }).endpoints).toEqual([{ host, port, startTls }]);
  });

  test('take several servers, in their order', () => {
    const { endpoints } = checkedSettings({
      ...GOOD,
      url: 'ldaps://one.example.org, ldaps://two.example.org:1636',
    });
    expect(endpoints.map(({ host, port }) => `${host}:${port}`)).toEqual([
      'one.example.org:636',
      'two.example.org:1636',
    ]);
  });

  test('wait five seconds and search by uid where nothing else is said', () => {
    const { timeoutMs, filter } = checkedSettings(GOOD);
    expect(timeoutMs).toBe(5000);
    expect(filter.for('ada')).toBe('(uid=ada)');
  });

  test.each<[string, Partial<LdapSettings>]>([
    ['startTls', { url: 'ldap://directory.example.org' }],
    ['startTls', { startTls: true }],
    ['url', { url: '' }],
    ['url', { url: 'directory.example.org' }],
    ['url', { url: 'ldaps://one.example.org,' }],
    ['url', { url: 'ldaps://one.example.org,two.example.org' }],
    ['startTls', { url: 'ldaps://one.example.org,ldap://two.example.org' }],
    ['url', { url: 'https://directory.example.org' }],
    ['url', { url: 'ldaps://' }],
    ['url', { url: 'ldaps://cn=admin:secret@directory.example.org' }],
    ['url', { url: 'ldaps://directory.example.org/dc=example??sub' }],
    ['bindDN', { bindDN: ' ' }],
    ['baseDN', { baseDN: '' }],
    ['userFilter', { userFilter: '(uid=*)' }],
    ['idAttribute', { idAttribute: 'entry UUID' }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: 1.5 }],
    ['caPem', { caPem: 'no certificate' }],
    ['caPem', { caPem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }],
  ])('name %s where it is wrong: %j', (setting, change) => {
    expect(() => checkedSettings({ ...GOOD, ...change })).toThrow(`The setting ${setting} is wrong: `);
  });

  test('never repeat a password that stands where none belongs', () => {
    const url = 'ldaps://admin:hunter2@directory.example.org';
    expect(() => checkedSettings({ ...GOOD, url })).toThrow(
      expect.not.objectContaining({ message: /hunter2/ }),
    );
  });
});
