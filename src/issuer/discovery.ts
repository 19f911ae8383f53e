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
  readonly introspection: string;
  readonly revocation: string;
  /** Of Kubernetes; no discovery document has a place for it. */
  readonly tokenReview: string;
}

/** The addresses; OpenID Connect Discovery 1.0, section 4.1, puts the first under the path of the issuer. */
export function endpoints(issuerUrl: string): Endpoints {
  const base = issuerUrl.replace(/\/$/, '');
  return {
    metadata: `${base}/.well-known/openid-configuration`,
    jwks: `${base}/jwks`,
    introspection: `${base}/introspect`,
    revocation: `${base}/revoke`,
    tokenReview: `${base}/token-review`,
  };
}

/**
 * The members that Discovery 1.0, section 3, requires of an issuer of ID tokens, and those that help; the endpoints for
 * tokens are those of RFC 8414, section 2. There is no authorization endpoint to name, as with the ServiceAccount issuer
 * of Kubernetes (serviceaccount/openidmetadata.go).
 */
export function providerMetadata(issuerUrl: string) {
  const { jwks, introspection, revocation } = endpoints(issuerUrl);
  return {
    issuer: issuerUrl,
    jwks_uri: jwks,
    introspection_endpoint: introspection,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'Bearer'],
    revocation_endpoint: revocation,
    // Whoever holds the token may end it.
    revocation_endpoint_auth_methods_supported: ['none'],
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
