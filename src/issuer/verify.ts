// Whether a presented text is a token that we signed, unchanged and within its time; the reverse of signer.ts.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { compactVerify, errors, type CompactJWSHeaderParameters } from 'jose';
import { z } from 'zod';
import { publishedKeys, type Keyring } from './keyring.ts';
import { digestOf, VerifiedTokens } from './verified-tokens.ts';

/**
 * The longest token: 64 groups of 128 characters, each of four bytes in UTF-8, and the rest of the claims, in base64.
 * What is longer is not ours, and is refused before anything of it is read.
 */
export const LONGEST_TOKEN = 48 * 1024;

/** Of as many tokens it is remembered that their signatures were good. */
const MOST_REMEMBERED = 16_384;

/**
 * RFC 7515, section 7.1, with the 64 bytes of a signature of ES256 (RFC 7518, section 3.4). jose passes over white space,
 * and over the bits of the last character that carry nothing: sixteen spellings of one token, where whoever remembers
 * what was refused knows one.
 */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/;

/**
 * How far `nbf` may lie ahead. Two replicas may each be five seconds off the API server's clock before they mint no
 * more; the signer allows for five of the ten.
 */
const NBF_TOLERANCE_MS = 5_000;

/** What a verified token says. Who its bearer is now, and whether the session lives, is for others to say. */
export interface VerifiedClaims {
  readonly sub: string;
  readonly sid: string;
  readonly jti: string;
  readonly aud: readonly string[];
  /** Seconds since 1970, as RFC 7519 counts. */
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly preferred_username: string;
  readonly 'latchkey.dev/namespace': string;
}

export type TokenFault =
  | 'Malformed' // not a JWS of ours: another header, another form, claims that we do not write
  | 'UnknownKey' // withdrawn, or never ours
  | 'BadSignature'
  | 'WrongIssuer'
  | 'Expired'
  | 'NotYetValid';

export type Verified = { readonly claims: VerifiedClaims } | { readonly fault: TokenFault };

/** Never rejects for what the token is like. */
export type VerifyToken = (token: string, now: Date) => Promise<Verified>;

const claimsOfOurs = z.object({
  iss: z.string(),
  sub: z.string().min(1),
  sid: z.string().min(1),
  jti: z.string().min(1),
  aud: z.array(z.string()).min(1),
  exp: z.number(),
  iat: z.number(),
  nbf: z.number(),
  preferred_username: z.string().min(1),
  'latchkey.dev/namespace': z.string().min(1),
});

class Fault extends Error {
  readonly fault: TokenFault;

  constructor(fault: TokenFault) {
    super(fault);
    this.fault = fault;
  }
}

/**
 * RFC 8725: one algorithm, one issuer, one type, and keys that come from nowhere but the keyring.
 * @param keyring asked anew for every token; where there is none, no key is known
 */
export function tokenVerifier(keyring: () => Keyring | undefined, issuerUrl: string): VerifyToken {
  const keys = publicKeys(keyring);
  const verified = new VerifiedTokens<VerifiedClaims>(MOST_REMEMBERED);

  async function checkSignature(token: string, digest: string): Promise<VerifiedClaims> {
    let signer: { readonly kid: string; readonly key: KeyObject } | undefined;
    const keyFor = (header: CompactJWSHeaderParameters | undefined): KeyObject => {
      const kid = kidOf(header);
      const key = keys().get(kid);
      if (!key) throw new Fault('UnknownKey');
      signer = { kid, key };
      return key;
    };
    const { payload } = await compactVerify(token, keyFor, { algorithms: ['ES256'] });
    const claims = claimsIn(payload, issuerUrl);
    if (signer) verified.add(digest, { ...signer, claims });
    return claims;
  }

  return async (token, now) => {
    if (token.length > LONGEST_TOKEN || !COMPACT.test(token)) return { fault: 'Malformed' };
    try {
      const digest = digestOf(token);
      return inTime(verified.find(digest, keys()) ?? (await checkSignature(token, digest)), now);
    } catch (error) {
      if (error instanceof Fault) return { fault: error.fault };
      // The others say what the text is not like; none of them is a fault of this machine.
      return {
        fault: error instanceof errors.JWSSignatureVerificationFailed ? 'BadSignature' : 'Malformed',
      };
    }
  };
}

/** Ours has these three members and no other: nothing that could name a key (`jwk`, `jku`, `x5c`) or change a rule (`crit`). */
function kidOf(header: CompactJWSHeaderParameters | undefined): string {
  const { alg, typ, kid, ...others } = header ?? {};
  if (alg !== 'ES256' || typ !== 'JWT' || typeof kid !== 'string' || Object.keys(others).length > 0)
    throw new Fault('Malformed');
  return kid;
}

function claimsIn(payload: Uint8Array, issuerUrl: string): VerifiedClaims {
  const said: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  const { success, data } = claimsOfOurs.safeParse(said);
  if (!success) throw new Fault('Malformed');
  const { iss, ...claims } = data;
  if (iss !== issuerUrl) throw new Fault('WrongIssuer');
  return claims;
}

function inTime(claims: VerifiedClaims, now: Date): Verified {
  // RFC 7519, section 4.1.4: on or after it the token must not be accepted.
  if (claims.exp * 1_000 <= now.getTime()) return { fault: 'Expired' };
  if (claims.nbf * 1_000 > now.getTime() + NBF_TOLERANCE_MS) return { fault: 'NotYetValid' };
  return { claims };
}

/** Made once for every keyring: jose keeps what it makes of a KeyObject for as long as that lives. */
function publicKeys(keyring: () => Keyring | undefined): () => ReadonlyMap<string, KeyObject> {
  const none: ReadonlyMap<string, KeyObject> = new Map();
  let latest: { readonly of: Keyring; readonly keys: ReadonlyMap<string, KeyObject> } | undefined;
  return () => {
    const known = keyring();
    if (!known) return none;
    if (latest?.of !== known) {
      const keys = publishedKeys(known).map(
        ({ kid, publicJwk }) => [kid, createPublicKey({ key: { ...publicJwk }, format: 'jwk' })] as const,
      );
      latest = { of: known, keys: new Map(keys) };
    }
    return latest.keys;
  };
}
