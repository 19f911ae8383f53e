// What a verifier needs to know: the metadata of the issuer, and the public keys.
import type { IdentityClaims } from '../domain/claims.ts';
import { publishedKeys, type Keyring } from './keyring.ts';

const CLAIMS = [
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'sid',
  'preferred_username',
  'email',
  'name',
  'groups',
  'role',
  'latchkey.dev/namespace',
] as const satisfies readonly (keyof IdentityClaims | 'iss' | 'exp' | 'nbf' | 'iat' | 'jti')[];

export interface Endpoints {
  readonly metadata: string;
  readonly jwks: string;
}

/** The two addresses; OpenID Connect Discovery 1.0, section 4.1, puts the first under the path of the issuer. */
export function endpoints(issuerUrl: string): Endpoints {
  const base = issuerUrl.replace(/\/$/, '');
  return { metadata: `${base}/.well-known/openid-configuration`, jwks: `${base}/jwks` };
}

/**
 * The members that Discovery 1.0, section 3, requires of an issuer of ID tokens, and those that help. There is no
 * authorization endpoint to name, as with the ServiceAccount issuer of Kubernetes (serviceaccount/openidmetadata.go).
 */
export function providerMetadata(issuerUrl: string) {
  return {
    issuer: issuerUrl,
    jwks_uri: endpoints(issuerUrl).jwks,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    claims_supported: CLAIMS,
  };
}

/** A JWK Set (RFC 7517, section 5) of every key that verifies a token. Member by member, so that none comes along. */
export function publicJwks(keyring: Keyring) {
  return {
    keys: publishedKeys(keyring).map(({ kid, publicJwk: { kty, crv, x, y } }) => ({
      kty,
      crv,
      x,
      y,
      kid,
      use: 'sig',
      alg: 'ES256',
    })),
  };
}
