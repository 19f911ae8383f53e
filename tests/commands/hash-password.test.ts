// `latchkey accounts hash` makes no line that the directory would not read: one that is wrong keeps everybody out.
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { accountLine } from '../../src/commands/hash-password.ts';
import { parseAccounts } from '../../src/directory/local/accounts.ts';
import { isPassword } from '../../src/directory/local/password-hash.ts';

const PASSWORD = 'correct horse battery staple';
const lineOf = (username: string, ...input: readonly (string | Buffer)[]) =>
  accountLine(username, Readable.from(input.map((part) => Buffer.from(part))));

test.each([
  ['as it came', [PASSWORD]],
  ['with the end of its line', [PASSWORD, '\n']],
  ['with that of Windows', [`${PASSWORD}\r\n`]],
])('the line of a password %s lets its user in', async (_, input) => {
  const account = parseAccounts(await lineOf('Ada Lovelace', ...input)).get('ada lovelace');
  expect(account?.locked).toBe(false);
  expect(account && (await isPassword(PASSWORD, account.hash))).toBe(true);
});

test('a character that came in two pieces is one', async () => {
  const [first, second] = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1)];
  const account = parseAccounts(await lineOf('ada', first, second)).get('ada');
  expect(account && (await isPassword('ä', account.hash))).toBe(true);
});

describe('is refused:', () => {
  test.each([
    ['a colon', 'ada:lovelace'],
    ['a line break', 'ada\ngrace'],
    ['a comment', '#ada'],
    ['a space in front', ' ada'],
    ['a space behind', 'ada '],
    ['a control character', 'a\u0007da'],
    ['half a character', '\ud800'],
    ['257 characters', 'a'.repeat(257)],
  ])('a username with %s', async (_, username) => {
    await expect(lineOf(username, PASSWORD)).rejects.toMatchObject({ code: 'UsernameUnusable' });
  });

  test.each<[string, string | Buffer, string]>([
    ['none', '', 'PasswordMissing'],
    ['an empty line', '\n', 'PasswordMissing'],
    ['two lines', `${PASSWORD}\n${PASSWORD}\n`, 'PasswordUnusable'],
    ['one that is no UTF-8', Buffer.from([0x70, 0xff, 0xfe]), 'PasswordUnusable'],
    ['one of 1025 characters', 'x'.repeat(1025), 'PasswordUnusable'],
  ])('as a password, %s', async (_, input, code) => {
    await expect(lineOf('ada', input)).rejects.toMatchObject({ code });
  });

  test('a password without an end, before it fills the memory', async () => {
    let pieces = 0;
    async function* endless() {
      for (;;) {
        pieces += 1;
        yield Buffer.alloc(1024, 'x');
      }
    }
    await expect(accountLine('ada', endless())).rejects.toMatchObject({ code: 'PasswordUnusable' });
    expect(pieces).toBeLessThan(20);
  });
});
