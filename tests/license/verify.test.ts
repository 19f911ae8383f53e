// Licences as they come, and as they are forged: RFC 8725's list, and what happens to a text on its way.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { AUDIENCE, ISSUER, TYPE } from '../../src/license/claims.ts';
import { issueLicense } from '../../src/license/issue.ts';
import { privateKey, publicKeys, type LicenseKey } from '../../src/license/keys.ts';
import { LicenseError } from '../../src/license/license-error.ts';
import { readLicense, verifyLicense } from '../../src/license/verify.ts';

const NOW = new Date('2030-01-01T12:00:00.500Z');
const TERMS = {
  customer: 'Example Ltd',
  users: 50,
  notBefore: NOW,
  expiresAt: new Date('2031-01-01T00:00:00Z'),
};

interface Vendor {
  readonly signing: LicenseKey;
  readonly keys: readonly LicenseKey[];
  readonly publicPem: string;
}

function vendor({ privateKey: secret, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }): Vendor {
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return {
    signing: privateKey(secret.export({ type: 'pkcs8', format: 'pem' }).toString()),
    keys: publicKeys(publicPem),
    publicPem,
  };
}

const ED25519 = vendor(generateKeyPairSync('ed25519'));
const P256 = vendor(generateKeyPairSync('ec', { namedCurve: 'P-256' }));

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (change: object = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  jti: 'one',
  customer: 'Example Ltd',
  users: 50,
  iat: 1_893_499_200,
  nbf: 1_893_499_200,
  exp: 1_924_992_000,
  ...change,
});

/** Signed by the vendor itself, whatever it says. */
function signed(payload: unknown, header: object = {}): string {
  const input = `${base64url({ alg: 'EdDSA', typ: TYPE, ...header })}.${base64url(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), ED25519.signing.key).toString('base64url')}`;
}

const codeOf = (text: string, keys = ED25519.keys) =>
  verifyLicense(text, keys).then(
    () => 'taken',
    (error: unknown) => (error instanceof LicenseError ? error.code : error),
  );

describe.each([
  ['EdDSA', ED25519],
  ['ES256', P256],
])('a licence by %s', (_, { signing, keys }) => {
  test('is taken, with what was put into it, to the second', async () => {
    const text = await issueLicense(TERMS, signing, NOW);
    const { id, ...said } = await verifyLicense(`\n ${text}\r\n`, keys);
    expect(said).toEqual({ ...TERMS, notBefore: new Date('2030-01-01T12:00:00Z') });
    expect(id).toMatch(/^[\w-]{36}$/);
    expect(readLicense(text)).toEqual({ id, ...said });
  });

  test('is taken by any of several keys', async () => {
    const text = await issueLicense(TERMS, signing, NOW);
    const other = vendor(generateKeyPairSync('ed25519'));
    const another = vendor(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    expect(await codeOf(text, [...other.keys, ...another.keys, ...keys])).toBe('taken');
  });

  test('of another vendor is forged', async () => {
    const other = vendor(generateKeyPairSync('ed25519'));
    const another = vendor(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    const text = await issueLicense(TERMS, signing, NOW);
    expect(await codeOf(text, [...other.keys, ...another.keys])).toBe('LicenseForged');
  });

  test('is refused wherever it was cut off', async () => {
    const text = await issueLicense(TERMS, signing, NOW);
    for (let length = 0; length < text.length; length++) {
      const code = await codeOf(text.slice(0, length), keys);
      expect(['LicenseMalformed', 'LicenseForged', 'LicenseForeign']).toContain(code);
    }
  });

  test('is refused wherever one of its characters was changed', async () => {
    const text = await issueLicense(TERMS, signing, NOW);
    // The last character of each part carries bits that mean nothing.
    const ends = new Set([...text.matchAll(/\.|$/g)].map(({ index }) => index - 1));
    for (let index = 0; index < text.length; index++) {
      if (ends.has(index)) continue;
      const other = text[index] === 'A' ? 'B' : 'A';
      const code = await codeOf(text.slice(0, index) + other + text.slice(index + 1), keys);
      expect(code).toMatch(/^License/);
    }
  });
});

describe('a forged licence is refused:', () => {
  const body = base64url(claims());
  const hmac = (input: string) =>
    createHmac('sha256', ED25519.publicPem).update(input).digest().toString('base64url');
  const hs256 = `${base64url({ alg: 'HS256', typ: TYPE })}.${body}`;
  const jwk = generateKeyPairSync('ed25519');
  const embedded = `${base64url({ alg: 'EdDSA', typ: TYPE, jwk: jwk.publicKey.export({ format: 'jwk' }) })}.${body}`;

  test.each<[string, string]>([
    ['alg none', `${base64url({ alg: 'none', typ: TYPE })}.${body}.`],
    ['alg NONE with a signature', `${base64url({ alg: 'NONE', typ: TYPE })}.${body}.AAAA`],
    ['HS256 with the public key as its secret', `${hs256}.${hmac(hs256)}`],
    ['no alg', `${base64url({ typ: TYPE })}.${body}.AAAA`],
    ['another alg on the vendor’s signature', signed(claims(), { alg: 'ES256' })],
    ['a list of algs', `${base64url({ alg: ['EdDSA'], typ: TYPE })}.${body}.AAAA`],
    ['an empty signature', `${base64url({ alg: 'EdDSA', typ: TYPE })}.${body}.`],
    ['zeros for a signature', `${base64url({ alg: 'EdDSA', typ: TYPE })}.${body}.${'A'.repeat(86)}`],
    [
      'a key of its own',
      `${embedded}.${sign(null, Buffer.from(embedded), jwk.privateKey).toString('base64url')}`,
    ],
    ['an extension that nobody knows', signed(claims(), { crit: ['b64'], b64: false })],
  ])('%s', async (_, text) => {
    expect(await codeOf(text)).toMatch(/^License(Forged|Malformed)$/);
  });

  test('zeros for a signature by ES256', async () => {
    const text = `${base64url({ alg: 'ES256', typ: TYPE })}.${body}.${'A'.repeat(86)}`;
    expect(await codeOf(text, P256.keys)).toBe('LicenseForged');
  });
});

describe('a token of another kind, signed with the vendor’s own key, is refused:', () => {
  test.each<[string, string]>([
    ['an access token', signed(claims(), { typ: 'JWT' })],
    ['one without a typ', signed(claims(), { typ: undefined })],
    ['another issuer', signed(claims({ iss: 'https://portal.example.org' }))],
    ['another product', signed(claims({ aud: 'somebody else' }))],
    ['several audiences', signed(claims({ aud: [AUDIENCE, 'somebody else'] }))],
    ['no issuer', signed(claims({ iss: undefined }))],
  ])('%s', async (_, text) => {
    expect(await codeOf(text)).toBe('LicenseForeign');
  });
});

describe('what the vendor signed without what a licence has to say is refused:', () => {
  test.each<[string, object]>([
    ['jti', { jti: undefined }],
    ['jti', { jti: 'a b' }],
    ['customer', { customer: undefined }],
    ['customer', { customer: '' }],
    ['customer', { customer: 'Example\u001B[31m Ltd' }],
    ['customer', { customer: 'x'.repeat(201) }],
    ['users', { users: 0 }],
    ['users', { users: 1.5 }],
    ['users', { users: '50' }],
    ['users', { users: 1e99 }],
    ['exp', { exp: undefined }],
    ['exp', { exp: 1e12 }],
    ['exp', { exp: 1_893_499_200 }],
    ['nbf', { nbf: -1 }],
    ['iat', { iat: 1.5 }],
  ])('%s %j', async (name, change) => {
    await expect(verifyLicense(signed(claims(change)), ED25519.keys)).rejects.toMatchObject({
      code: 'LicenseIncomplete',
      message: `These of its claims are missing or wrong: ${name}.`,
    });
  });

  test.each([
    ['a list', []],
    ['a number', 1],
    ['nothing', null],
    ['a text', 'x'],
  ])('%s', async (_, payload) => {
    expect(await codeOf(signed(payload))).toMatch(/^License(Incomplete|Foreign)$/);
  });
});

test('what is not JSON, or longer than any licence, is malformed', async () => {
  const input = `${base64url({ alg: 'EdDSA', typ: TYPE })}.${Buffer.from('{"iss":').toString('base64url')}`;
  const text = `${input}.${sign(null, Buffer.from(input), ED25519.signing.key).toString('base64url')}`;
  expect(await codeOf(text)).toBe('LicenseMalformed');
  expect(await codeOf(signed(claims({ customer: 'x'.repeat(8_192) })))).toBe('LicenseMalformed');
});

test('whatever the text, it is refused by an error of ours that has nothing of it', async () => {
  const part = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
    fc
      .record({
        alg: fc.constantFrom('EdDSA', 'ES256', 'none'),
        typ: fc.constant(TYPE),
        crit: fc.jsonValue(),
      })
      .map(base64url),
    fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(part, { minLength: 1, maxLength: 5 }).map((all) => all.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(text, async (any) => {
      const error: unknown = await verifyLicense(any, [...ED25519.keys, ...P256.keys]).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(LicenseError);
      if (any.length > 12) expect(String(error)).not.toContain(any);
    }),
    { numRuns: 2_000 },
  );
});

describe('no licence is made that no operator would take:', () => {
  test.each<[string, object]>([
    ['it ends before it begins', { expiresAt: NOW }],
    ['control characters', { customer: 'a\nb' }],
    ['nobody', { users: 0 }],
    ['the year 10000', { expiresAt: new Date(8.64e15) }],
  ])('%s', async (_, change) => {
    await expect(issueLicense({ ...TERMS, ...change }, ED25519.signing, NOW)).rejects.toMatchObject({
      code: 'LicenseIncomplete',
    });
  });
});
