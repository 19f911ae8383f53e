// By what its root says: how a server says that something has changed, and below which entry.
import { expect, test } from '@jest/globals';
import { noticesOf } from '../../../../src/directory/ldap/watch/notices.ts';
import { entryWith } from '../../support/entry-with.ts';

const SYNC = '1.3.6.1.4.1.4203.1.9.1.1';
const PERSISTENT_SEARCH = '2.16.840.1.113730.3.4.3';
const NOTIFICATION = '1.2.840.113556.1.4.528';
const BASE = 'OU=People,DC=example,DC=test';

const sourceOf = (supportedControl: string[], namingContexts: string[] = [], baseDN = BASE) =>
  noticesOf(entryWith({ supportedControl, namingContexts }), baseDN);

test('a server that has no such control says nothing', () => {
  expect(sourceOf([], ['DC=example,DC=test'])).toBeUndefined();
});

test('synchronization and persistent searches tell of the base DN', () => {
  expect(sourceOf([SYNC])).toEqual({ kind: 'sync', baseDN: BASE });
  expect(sourceOf([SYNC, PERSISTENT_SEARCH])).toEqual({ kind: 'persistent-search', baseDN: BASE });
});

test.each([
  ['the one', ['CN=Configuration,DC=example,DC=test', 'dc=Example, dc=test'], BASE, 'dc=Example, dc=test'],
  ['the nearest one', ['DC=test', 'DC=example,DC=test'], BASE, 'DC=example,DC=test'],
  ['the very base DN', ['DC=test', BASE], BASE, BASE],
])('a notification tells of a naming context: %s', (_name, contexts, baseDN, expected) => {
  expect(sourceOf([NOTIFICATION], contexts, baseDN)).toEqual({ kind: 'notification', baseDN: expected });
});

test.each([
  ['another domain', ['DC=elsewhere,DC=test']],
  ['no context at all', []],
  ['the empty one', ['']],
])('where the server has %s, there is no notification to be had', (_name, contexts) => {
  expect(sourceOf([NOTIFICATION], contexts)).toBeUndefined();
});
