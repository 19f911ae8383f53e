// The text of local accounts.
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DirectoryError } from '../../../src/directory/directory.ts';
import { parseAccounts } from '../../../src/directory/local/accounts.ts';

const HASH = '$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g';

describe('accounts', () => {
  test('are one a line, with comments and empty lines between', () => {
    const text = `# the founders\n\nada:${HASH}\r\n  \ngrace:!${HASH}\n#charles:${HASH}`;
    const accounts = parseAccounts(text);
    expect([...accounts].map(([username, { locked }]) => [username, locked])).toEqual([
      ['ada', false],
      ['grace', true],
    ]);
  });

  test('are none in an empty text', () => {
    expect(parseAccounts('').size).toBe(0);
  });

  test('are known by their folded usernames', () => {
    expect([...parseAccounts(`Ada@Example.org:${HASH}\nＧrace Hopper:${HASH}`).keys()]).toEqual([
      'ada@example.org',
      'grace hopper',
    ]);
  });

  test.each([
    ['no colon', 'ada'],
    ['no username', `:${HASH}`],
    ['a username that begins with a space', ` ada:${HASH}`],
    ['a username with a control character', `a\tda:${HASH}`],
    ['a very long username', `${'a'.repeat(257)}:${HASH}`],
    ['no hash', 'ada:'],
    ['a password in place of a hash', 'ada:hunter2'],
    ['a hostile cost', `ada:${HASH.replace('ln=15', 'ln=30')}`],
    ['two locks', `ada:!!${HASH}`],
    ['a username that is there already, in another case', `ADA:${HASH}`],
  ])('with %s are refused by line number, without a word of the content', (_name, line) => {
    const error = errorOf(`Ada:${HASH}\n# comment\n${line}\n`);
    expect(error.code).toBe('DirectoryMisconfigured');
    expect(error.message).toMatch(/^Line 3 of the accounts is wrong: /);
    expect(error.message).not.toMatch(/ada:|hunter2|c2FsdHNh|aGFzaGhh/i);
  });

  test('of any text are read or refused with a line number, and in no other way', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ':', '!', '\n', '#', '$', ' ', HASH) }), (text) => {
        try {
          parseAccounts(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DirectoryError);
          expect(String(error)).toMatch(/Line \d+ of the accounts/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function errorOf(text: string): DirectoryError {
  try {
    parseAccounts(text);
  } catch (error) {
    if (error instanceof DirectoryError) return error;
  }
  throw new Error('expected a DirectoryError');
}
