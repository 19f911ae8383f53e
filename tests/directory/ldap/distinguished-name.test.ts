import { expect, test } from '@jest/globals';
import { canonicalDn } from '../../../src/directory/ldap/distinguished-name.ts';

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
