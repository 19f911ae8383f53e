// Usernames and passwords that no directory is asked about.
import { expect, test } from '@jest/globals';
import { isWorthAsking } from '../../src/directory/username.ts';

test.each(['ada', 'ada@example.org', 'Ada Lovelace', 'jürgen', '*', 'a'.repeat(256), '名前', '🔑'])(
  'a directory is asked about the username %j',
  (username) => {
    expect(isWorthAsking(username, 'secret')).toBe(true);
  },
);

test.each(['', 'a'.repeat(257), 'a\0', 'a\nb', '\u007f', '\u0085', '\ud800'])(
  'no directory is asked about the username %j',
  (username) => {
    expect(isWorthAsking(username, 'secret')).toBe(false);
  },
);

test('no directory is asked about an empty or very long password', () => {
  expect(isWorthAsking('ada', '')).toBe(false);
  expect(isWorthAsking('ada', ' ')).toBe(true);
  expect(isWorthAsking('ada', 'a'.repeat(1024))).toBe(true);
  expect(isWorthAsking('ada', 'a'.repeat(1025))).toBe(false);
});
