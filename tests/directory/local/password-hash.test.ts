// scrypt hashes in the PHC string format.
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  decoyHash,
  hashPassword,
  isPassword,
  parsePasswordHash,
} from '../../../src/directory/local/password-hash.ts';

const SALT = 'c2FsdHNhbHRzYWx0c2FsdA';
const HASH = 'aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g';

describe('a password hash', () => {
  test('is that of its password and of no other', async () => {
    const hash = parsePasswordHash(await hashPassword('correct horse'));
    if (!hash) throw new Error('the hash cannot be read back');
    expect(await isPassword('correct horse', hash)).toBe(true);
    expect(await isPassword('correct horse ', hash)).toBe(false);
    expect(await isPassword('', hash)).toBe(false);
  });

  test('has a salt of its own and the parameters of OWASP', async () => {
    const [first, second] = await Promise.all([hashPassword('same'), hashPassword('same')]);
    expect(first).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(first).not.toBe(second);
  });

  test('may cost less, and says so', async () => {
    const text = await hashPassword('cheap', { ln: 13, r: 8, p: 1 });
    expect(text).toMatch(/^\$scrypt\$ln=13,r=8,p=1\$/);
    const hash = parsePasswordHash(text);
    expect(hash && (await isPassword('cheap', hash))).toBe(true);
  });

  test('of an empty password is not made', async () => {
    await expect(hashPassword('')).rejects.toMatchObject({ code: 'DirectoryMisconfigured' });
  });

  test('is scrypt as in RFC 7914, section 12', async () => {
    const hash = Buffer.from(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      'hex',
    );
    const known = { cost: { ln: 14, r: 8, p: 1 }, salt: Buffer.from('SodiumChloride'), hash };
    expect(await isPassword('pleaseletmein', known)).toBe(true);
  });

  test('takes a password in either normal form', async () => {
    const hash = parsePasswordHash(await hashPassword('Stra\u00dfe-\u00fc'));
    expect(hash && (await isPassword('Stra\u00dfe-u\u0308', hash))).toBe(true);
  });

  test('of nobody is that of no password', async () => {
    expect(await isPassword('', decoyHash({ ln: 13, r: 8, p: 1 }))).toBe(false);
  });

  test('is read whatever its salt and hash', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 64 });
    fc.assert(
      fc.property(bytes, bytes, (salt, hash) => {
        const text = `$scrypt$ln=15,r=8,p=1$${base64(salt)}$${base64(hash)}`;
        expect(parsePasswordHash(text)).toEqual({
          cost: { ln: 15, r: 8, p: 1 },
          salt: Buffer.from(salt),
          hash: Buffer.from(hash),
        });
      }),
    );
  });

  test.each([
    ['too much memory', 'ln=30,r=8,p=1'],
    ['one more than the most', 'ln=18,r=8,p=1'],
    ['too much work', 'ln=17,r=8,p=2'],
    ['too little work', 'ln=12,r=8,p=1'],
    ['large blocks', 'ln=15,r=64,p=1'],
    ['no parallelism', 'ln=15,r=8,p=0'],
    ['a number with a sign', 'ln=+15,r=8,p=1'],
    ['a long number', 'ln=1500000000000,r=8,p=1'],
    ['another order', 'r=8,ln=15,p=1'],
    ['a missing part', 'ln=15,r=8'],
  ])('with %s is refused', (_name, parameters) => {
    expect(parsePasswordHash(`$scrypt$${parameters}$${SALT}$${HASH}`)).toBeUndefined();
  });

  test.each([
    ['nothing', ''],
    ['another function', `$argon2id$ln=15,r=8,p=1$${SALT}$${HASH}`],
    ['a short salt', `$scrypt$ln=15,r=8,p=1$c2FsdA$${HASH}`],
    ['a short hash', `$scrypt$ln=15,r=8,p=1$${SALT}$aGFzaA`],
    ['a long hash', `$scrypt$ln=15,r=8,p=1$${SALT}$${'aGFz'.repeat(22)}`],
    ['padding', `$scrypt$ln=15,r=8,p=1$${SALT}==$${HASH}`],
    ['bits left over', `$scrypt$ln=15,r=8,p=1$${SALT.slice(0, -1)}B$${HASH}`],
    ['more behind it', `$scrypt$ln=15,r=8,p=1$${SALT}$${HASH}$x`],
    ['a space behind it', `$scrypt$ln=15,r=8,p=1$${SALT}$${HASH} `],
  ])('that is %s is refused', (_name, text) => {
    expect(parsePasswordHash(text)).toBeUndefined();
  });
});

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}
