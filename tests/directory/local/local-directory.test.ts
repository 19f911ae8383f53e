// Passwords checked against local accounts.
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createHook } from 'node:async_hooks';
import type { Directory } from '../../../src/directory/directory.ts';
import { localDirectory } from '../../../src/directory/local/local-directory.ts';
import { hashPassword } from '../../../src/directory/local/password-hash.ts';
import { directoryErrorOf } from '../support/directory-error.ts';

const REFUSED = { outcome: 'Refused' };

let hash: string;
let open: Directory | undefined;

beforeAll(async () => {
  // At the least cost that is allowed: nearly every test here checks a password.
  hash = await hashPassword('right', { ln: 13, r: 8, p: 1 });
});

afterEach(() => open?.close());

function directoryOf(readAccounts: () => Promise<string>): Directory {
  open = localDirectory(readAccounts);
  return open;
}

describe('the local directory', () => {
  test('accepts the right password, whatever the case of the username', async () => {
    const directory = directoryOf(() => Promise.resolve(`Ada:${hash}`));
    expect(await directory.verify('ada', 'right')).toEqual({ outcome: 'Accepted', account: {} });
    expect(await directory.verify('ADA', 'right')).toEqual({ outcome: 'Accepted', account: {} });
    expect(await directory.verify('ａｄａ', 'right')).toEqual({ outcome: 'Accepted', account: {} });
  });

  test.each([
    ['a wrong password', 'ada', 'wrong'],
    ['an empty password', 'ada', ''],
    ['an unknown user', 'charles', 'right'],
    ['the name of an object property', '__proto__', 'right'],
    ['an empty username', '', 'right'],
    ['a username with a NUL', 'ada\0', 'right'],
    ['a very long username', 'a'.repeat(100_000), 'right'],
    ['a very long password', 'ada', 'a'.repeat(100_000)],
  ])('refuses %s', async (_name, username, password) => {
    const directory = directoryOf(() => Promise.resolve(`ada:${hash}`));
    expect(await directory.verify(username, password)).toEqual(REFUSED);
  });

  test('says that an account is locked only to whoever knows its password', async () => {
    const directory = directoryOf(() => Promise.resolve(`ada:!${hash}`));
    expect(await directory.verify('ada', 'right')).toEqual({ outcome: 'Inactive', reason: 'Locked' });
    expect(await directory.verify('ada', 'wrong')).toEqual(REFUSED);
  });

  test('lets a change of the accounts count at once', async () => {
    let text = '';
    const directory = directoryOf(() => Promise.resolve(text));
    expect(await directory.verify('ada', 'right')).toEqual(REFUSED);
    text = `ada:${hash}`;
    expect(await directory.verify('ada', 'right')).toMatchObject({ outcome: 'Accepted' });
  });

  test('derives one key over an unknown user, as over a wrong password', async () => {
    const directory = directoryOf(() => Promise.resolve(`ada:${hash}`));
    let derived = 0;
    // Counted, as the time that one takes says nothing on a busy machine.
    const hook = createHook({ init: (_, type) => void (derived += type === 'SCRYPTREQUEST' ? 1 : 0) });
    hook.enable();
    try {
      await directory.verify('ada', 'wrong');
      expect(derived).toBe(1);
      await directory.verify('charles', 'wrong');
      expect(derived).toBe(2);
    } finally {
      hook.disable();
    }
  });

  test('is misconfigured, by line number, where the accounts cannot be read', async () => {
    const directory = directoryOf(() => Promise.resolve(`ada:${hash}\ngrace:hunter2`));
    const error = await directoryErrorOf(directory.verify('ada', 'right'), ['hunter2', hash, "right'"]);
    expect(error.code).toBe('DirectoryMisconfigured');
    expect(error.message).toMatch(/^Line 2 /);
  });

  test('is unreachable where the accounts cannot be had', async () => {
    const directory = directoryOf(() => Promise.reject(new Error('no such Secret')));
    expect((await directoryErrorOf(directory.verify('ada', 'right'))).code).toBe('DirectoryUnreachable');
  });

  test('works on two passwords at once, lets thirty-two wait, and sends the rest away', async () => {
    let reading = 0;
    let most = 0;
    const { promise: held, resolve: release } = Promise.withResolvers<string>();
    const directory = directoryOf(async () => {
      reading += 1;
      most = Math.max(most, reading);
      const text = await held;
      reading -= 1;
      return text;
    });
    const attempts = Promise.allSettled(Array.from({ length: 36 }, () => directory.verify('ada', 'right')));
    release('not accounts');
    const outcomes = await attempts;
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'none'));
    expect(most).toBe(2);
    expect(codes.filter((code) => code === 'DirectoryUnreachable')).toHaveLength(2);
    expect(codes.filter((code) => code === 'DirectoryMisconfigured')).toHaveLength(34);
  });

  test('answers nobody once it is closed', async () => {
    const directory = directoryOf(() => Promise.resolve(`ada:${hash}`));
    await directory.close();
    expect((await directoryErrorOf(directory.verify('ada', 'right'))).code).toBe('DirectoryUnreachable');
  });
});
