import { expect, test } from '@jest/globals';
import { canonicalDn, isWithin } from '../../../src/directory/ldap/distinguished-name.ts';

test.each([
  ['cn=a,dc=example', 'CN=A, DC=Example'],
  ['cn=Ada  Lovelace,o=x', 'cn = ada lovelace , o=X'],
  ['cn=Lovelace\\, Ada,o=x', 'cn=Lovelace\\2C Ada,o=x'],
  ['cn=J\\C3\\BCrgen,o=x', 'cn=jürgen,o=x'],
  ['cn=a+sn=b,o=x', 'sn=B+cn=A,o=x'],
  ['cn=a\\ ,o=x', 'cn=a\\20,o=x'],
  ['cn=a\\\\,o=x', 'cn=a\\5c ,o=x'],
])('%j is %j', (one, other) => {
  expect(canonicalDn(one)).toBe(canonicalDn(other));
});

test.each([
  ['cn=a,o=x', 'cn=b,o=x'],
  ['cn=a,o=x', 'ou=a,o=x'],
  ['cn=a,cn=b,o=x', 'cn=a\\,cn=b,o=x'],
  ['cn=a,o=x', 'cn=a,o=x,c=de'],
  ['cn=a,cn=b', 'cn=b,cn=a'],
  ['cn=a+sn=b', 'cn=a,sn=b'],
])('%j is not %j', (one, other) => {
  expect(canonicalDn(one)).not.toBe(canonicalDn(other));
});

test.each([
  ['cn=a,ou=People,dc=example', 'OU=people, DC=Example', true],
  ['ou=people,dc=example', 'ou=people,dc=example', true],
  ['cn=a,o=x', '', true],
  ['dc=example', 'ou=people,dc=example', false],
  ['cn=a,cn=Deleted Objects,dc=example', 'ou=people,dc=example', false],
  ['cn=a\\,ou=people,dc=example', 'ou=people,dc=example', false],
])('whether %j is within %j: %s', (dn, base, expected) => {
  expect(isWithin(dn, base)).toBe(expected);
});
