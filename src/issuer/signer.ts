// Signs tokens: the claims of a user, with times and a number of their own.
import { randomUUID, sign, type KeyObject } from 'node:crypto';
import type { IdentityClaims } from '../domain/claims.ts';
import { LatchkeyError } from '../errors.ts';
import { jwsSignature } from './jws-signature.ts';
import { LONGEST_TTL_MS, type Keyring } from './keyring.ts';

/**
 * How far the clock of a verifier may be behind ours: what Latchkey itself tolerates against the API server before it
 * stops to mint. Without it a verifier that tolerates nothing would refuse a token in its first seconds.
 */
const SKEW_SECONDS = 5;

export interface SignedToken {
  readonly token: string;
  readonly expiresAt: Date;
  readonly jti: string;
  /** Of the key that signed it. */
  readonly kid: string;
}

export interface Signer {
  /**
   * @param ttlMs at most a day; the token lives up to a second less, as `exp` counts whole seconds
   * @throws {SigningError}
   */
  sign(claims: IdentityClaims, ttlMs: number, now: Date): Promise<SignedToken>;
}

/** `TtlOutOfRange`: the token would outlive the publication of its key, or would not live at all. */
export class SigningError extends LatchkeyError<'NoSigningKey' | 'TtlOutOfRange'> {}

/** @param keyring asked anew for every token; undefined while there is none */
export function signer(keyring: () => Keyring | undefined, issuerUrl: string): Signer {
  let header = headerOf('');
  return {
    async sign(claims, ttlMs, now) {
      const key = keyring()?.active;
      if (!key)
        throw new SigningError('NoSigningKey', 'There is no signing key: see the log of the operator.');
      if (!(ttlMs >= 1_000 && ttlMs <= LONGEST_TTL_MS))
        throw new SigningError('TtlOutOfRange', `A token cannot live ${ttlMs} ms: set a ttl of 1m to 24h.`);
      const iat = Math.floor(now.getTime() / 1_000);
      const exp = iat + Math.floor(ttlMs / 1_000);
      const jti = randomUUID();
      // RFC 7519, section 4.1. What belongs to this one token stands last: no claim can overrule it.
      const payload = {
        ...claims,
        aud: [...claims.aud],
        iss: issuerUrl,
        iat,
        nbf: iat - SKEW_SECONDS,
        exp,
        jti,
      };
      if (header.kid !== key.kid) header = headerOf(key.kid);
      const token = compactJws(header.part, payload, key.privateKey);
      return { token, expiresAt: new Date(exp * 1_000), jti, kid: key.kid };
    },
  };
}

/** The same for all tokens of one key (RFC 7515, section 4.1). */
const headerOf = (kid: string) => ({ kid, part: part({ alg: 'ES256', kid, typ: 'JWT' }) });

const part = (object: object) => Buffer.from(JSON.stringify(object)).toString('base64url');

/**
 * RFC 7515, section 3.1, with ES256 of RFC 7518, section 3.4. On this thread on purpose:
 * a signature takes less time than handing it to another thread and back, as Web Crypto (and jose with it) does.
 */
function compactJws(header: string, payload: object, key: KeyObject): string {
  const input = `${header}.${part(payload)}`;
  const signature = jwsSignature(sign('sha256', Buffer.from(input, 'latin1'), key));
  return `${input}.${signature.toString('base64url')}`;
}
