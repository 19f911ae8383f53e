// RFC 8725's list, and more that thieves have tried: what is not exactly a token of ours is refused, with its reason.
import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { generateKeyPair, type KeyPair } from '../../src/issuer/key-pair.ts';
import { newKeyring, PUBLISH_FIRST_MS, prune, rotate, type Keyring } from '../../src/issuer/keyring.ts';
import { signer } from '../../src/issuer/signer.ts';
import { LONGEST_TOKEN, tokenVerifier, type TokenFault } from '../../src/issuer/verify.ts';
import { ADA, NOW, sampleKeyring } from './samples.ts';

const ISSUER = 'https://latchkey.example.com';
const TTL_MS = 30 * 60_000;
const keyring = await sampleKeyring();
const { active } = keyring;
const verify = tokenVerifier(() => keyring, ISSUER);
const sign = async (now = NOW, by: Keyring = keyring, issuer = ISSUER) =>
  (await signer(() => by, issuer).sign(ADA, TTL_MS, now)).token;
const genuine = await sign();

const base64url = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const seconds = Math.floor(NOW.getTime() / 1_000);
const HEADER = { alg: 'ES256', kid: active.kid, typ: 'JWT' };
const CLAIMS = { ...ADA, iss: ISSUER, iat: seconds, nbf: seconds - 5, exp: seconds + 1_800, jti: 'j' };

/** Signs whatever it is given with the right key: then the signature is never what fails. */
function signed(header: unknown, payload: unknown = CLAIMS, { privateKey: key }: KeyPair = active): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  const signature = signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function hs256(secret: string | Buffer): string {
  const input = `${base64url({ ...HEADER, alg: 'HS256' })}.${base64url(CLAIMS)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

function without(claim: keyof typeof CLAIMS): object {
  const { [claim]: _, ...others } = CLAIMS;
  return others;
}

const stranger = await generateKeyPair();
const [head = '', body = '', signature = ''] = genuine.split('.');
const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const publicPem = createPublicKey({ key: { ...active.publicJwk }, format: 'jwk' });
const spki = publicPem.export({ type: 'spki', format: 'pem' });

test('a token of ours is what it says', async () => {
  expect(await verify(genuine, NOW)).toEqual({
    claims: {
      sub: ADA.sub,
      sid: ADA.sid,
      aud: ['latchkey'],
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: seconds,
      nbf: seconds - 5,
      exp: seconds + 1_800,
      preferred_username: 'ada',
      'latchkey.dev/namespace': 'ada',
    },
  });
  expect(await verify(signed(HEADER), NOW)).toMatchObject({ claims: { sub: ADA.sub } });
});

describe('the algorithm is ES256, and the key is one of the keyring', () => {
  test.each<[string, TokenFault, string]>([
    ['no algorithm (RFC 8725, 2.1)', 'Malformed', `${base64url({ ...HEADER, alg: 'none' })}.${body}.`],
    ['no algorithm, by another spelling', 'Malformed', `${base64url({ ...HEADER, alg: 'nOnE' })}.${body}.`],
    ['no algorithm, and a good signature', 'Malformed', signed({ ...HEADER, alg: 'none' })],
    ['HS256 with the public key as PEM (2.1)', 'Malformed', hs256(spki)],
    ['HS256 with the public key as bytes', 'Malformed', hs256(Buffer.from(active.publicJwk.x, 'base64url'))],
    ['HS256 with an empty secret', 'Malformed', hs256('')],
    ['RS256', 'Malformed', `${base64url({ ...HEADER, alg: 'RS256' })}.${body}.${signBytes('sha256', Buffer.from('x'), rsa).toString('base64url')}`],
    ['ES384', 'Malformed', `${base64url({ ...HEADER, alg: 'ES384' })}.${body}.${signBytes('sha384', Buffer.from('x'), p384).toString('base64url')}`],
    ['a signature in DER', 'Malformed', `${head}.${body}.${signBytes('sha256', Buffer.from(`${head}.${body}`), active.privateKey).toString('base64url')}`],
    ['a signature of zeros (CVE-2022-21449)', 'BadSignature', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`],
    ['an empty signature', 'Malformed', `${head}.${body}.`],
    ['half a signature', 'Malformed', `${head}.${body}.${signature.slice(0, 43)}`],
    ['another key under the name of ours', 'BadSignature', signed(HEADER, CLAIMS, stranger)],
    ['the key that is next, under the name of the active one', 'BadSignature', signed(HEADER, CLAIMS, keyring.next)],
    ['changed claims', 'BadSignature', `${head}.${base64url({ ...CLAIMS, role: 'admin' })}.${signature}`],
    ['a key from elsewhere', 'UnknownKey', signed({ ...HEADER, kid: stranger.kid }, CLAIMS, stranger)],
  ])('%s: %s', async (_, fault, token) => {
    expect(await verify(token, NOW)).toEqual({ fault });
  }); // prettier-ignore
});

describe('nothing in the header can name a key or change a rule', () => {
  test.each([
    ['../../../../dev/null'],
    ['/etc/passwd'],
    ['https://evil.example/jwks'],
    ["' UNION SELECT 'key"],
    ['__proto__'],
    ['constructor'],
    [''],
    ['x'.repeat(10_000)],
  ])('kid %j is an unknown key', async (kid) => {
    expect(await verify(signed({ ...HEADER, kid }), NOW)).toEqual({ fault: 'UnknownKey' });
  });

  test.each<[string, object]>([
    ['jwk', { jwk: stranger.publicJwk }],
    ['jku', { jku: 'https://evil.example/jwks' }],
    ['x5c', { x5c: ['MIIB'] }],
    ['x5u', { x5u: 'https://evil.example/chain.pem' }],
    ['x5t', { x5t: 'abc' }],
    ['crit', { crit: ['exp'], exp: 1 }],
    ['crit without its member', { crit: ['b64'] }],
    ['b64', { crit: ['b64'], b64: false }],
    ['zip', { zip: 'DEF' }],
    ['cty', { cty: 'JWT' }],
    ['anything', { anything: true }],
    ['no typ', { typ: undefined }],
    ['the typ of an access token', { typ: 'at+jwt' }],
    ['the typ of a logout token', { typ: 'logout+jwt' }],
    ['typ in small letters', { typ: 'jwt' }],
    ['no kid', { kid: undefined }],
    ['a kid that is a number', { kid: 1 }],
    ['a kid that is a list', { kid: [active.kid] }],
  ])('%s is refused, though the signature is good', async (_, change) => {
    expect(await verify(signed({ ...HEADER, ...change }), NOW)).toEqual({ fault: 'Malformed' });
  });
});

describe('the claims', () => {
  test.each<[string, TokenFault, object]>([
    ['of another issuer', 'WrongIssuer', { ...CLAIMS, iss: 'https://elsewhere.example.com' }],
    ['of this issuer with a slash', 'WrongIssuer', { ...CLAIMS, iss: `${ISSUER}/` }],
    ['of a list of issuers', 'Malformed', { ...CLAIMS, iss: [ISSUER] }],
    ['that expire now', 'Expired', { ...CLAIMS, exp: Math.floor(NOW.getTime() / 1_000) }],
    ['that have expired', 'Expired', { ...CLAIMS, exp: seconds - 1 }],
    ['of the future', 'NotYetValid', { ...CLAIMS, nbf: seconds + 7 }],
    ['with a time that is text', 'Malformed', { ...CLAIMS, exp: '9999999999' }],
    ['with a time that never comes', 'Malformed', { ...CLAIMS, exp: null }],
    ['for nobody', 'Malformed', { ...CLAIMS, aud: [] }],
    ['with an audience that is no list', 'Malformed', { ...CLAIMS, aud: 'latchkey' }],
    ['with an empty subject', 'Malformed', { ...CLAIMS, sub: '' }],
    ['with an empty session', 'Malformed', { ...CLAIMS, sid: '' }],
    ...(['iss', 'sub', 'sid', 'jti', 'aud', 'exp', 'iat', 'nbf'] as const).map(
      (claim) => [`without ${claim}`, 'Malformed', without(claim)] as [string, TokenFault, object],
    ),
  ])('%s are refused: %s', async (_, fault, payload) => {
    expect(await verify(signed(HEADER, payload), NOW)).toEqual({ fault });
  });

  test('may begin five seconds from now, as clocks differ', async () => {
    expect(await verify(signed(HEADER, { ...CLAIMS, nbf: seconds + 5 }), NOW)).toHaveProperty('claims');
  });
});

test('what has passed before is looked at for its time again', async () => {
  const verifying = tokenVerifier(() => keyring, ISSUER);
  const token = signed(HEADER);
  const at = (second: number) => verifying(token, new Date(second * 1_000));
  expect(await at(CLAIMS.exp - 1)).toHaveProperty('claims');
  expect(await at(CLAIMS.exp)).toEqual({ fault: 'Expired' });
  expect(await at(CLAIMS.nbf - 6)).toEqual({ fault: 'NotYetValid' });
  expect(await at(CLAIMS.nbf)).toHaveProperty('claims');
});

describe('what is no JWS', () => {
  test.each([
    [''],
    ['.'],
    ['..'],
    ['a.b.c'],
    [`${head}.${body}`],
    [`${genuine}.`],
    [`${genuine} `],
    [` ${genuine}`],
    [`${genuine}\n`],
    [`${head}.${body.slice(0, 9)} ${body.slice(9)}.${signature}`],
    [`Bearer ${genuine}`],
    ['\u0000'],
    ['ü.ü.ü'],
    ['.'.repeat(LONGEST_TOKEN)],
    [JSON.stringify({ payload: body, protected: head, signature })],
    [signed(HEADER, 'not json')],
    [signed(HEADER, 'null')],
    [signed(HEADER, '[]')],
    [signed(HEADER, '1')],
    [signed('null')],
    [signed('[]')],
  ])('is malformed: %j', async (token) => {
    expect(await verify(token, NOW)).toEqual({ fault: 'Malformed' });
  });

  test('is refused unread where it is too long, though it were signed', async () => {
    const token = signed(HEADER, { ...CLAIMS, name: 'x'.repeat(LONGEST_TOKEN) });
    expect(await verify(token, NOW)).toEqual({ fault: 'Malformed' });
  });

  test('is another spelling of a token of ours: the last character of base64url has bits that carry nothing', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(genuine.at(-1) ?? '');
    for (let bits = 1; bits < 16; bits++)
      expect(await verify(genuine.slice(0, -1) + alphabet[last ^ bits], NOW)).toEqual({ fault: 'Malformed' });
  });

  test('never passes, and never throws, for any text or any change of one character', async () => {
    const change = fc
      .tuple(fc.nat(genuine.length - 1), fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }))
      .map(([at, character]) => genuine.slice(0, at) + character + genuine.slice(at + 1))
      .filter((token) => token !== genuine);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), change), async (token) => {
        expect(await verify(token, NOW)).toHaveProperty('fault');
      }),
      { numRuns: 500 },
    );
  });
});

describe('when the keys change', () => {
  test('tokens of a rotated key pass until it is dropped', async () => {
    let current: Keyring | undefined = keyring;
    const verifying = tokenVerifier(() => current, ISSUER);
    const rotated = new Date(NOW.getTime() + PUBLISH_FIRST_MS);
    const token = await sign(rotated);
    current = rotate(keyring, await generateKeyPair(), rotated);
    expect(await verifying(token, rotated)).toHaveProperty('claims');
    expect(await verifying(await sign(rotated, current), rotated)).toHaveProperty('claims');
    current = prune(current, current.retired[0]!.until);
    expect(await verifying(token, rotated)).toEqual({ fault: 'UnknownKey' });
  });

  test('tokens of withdrawn keys fail at once', async () => {
    let current: Keyring | undefined = keyring;
    const verifying = tokenVerifier(() => current, ISSUER);
    expect(await verifying(genuine, NOW)).toHaveProperty('claims');
    current = newKeyring(await generateKeyPair(), await generateKeyPair(), NOW);
    expect(await verifying(genuine, NOW)).toEqual({ fault: 'UnknownKey' });
    current = undefined;
    expect(await verifying(genuine, NOW)).toEqual({ fault: 'UnknownKey' });
  });
});
