// One ES256 key pair: how it is made, taken from a JWK and named.
import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generate,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';

/** RFC 7518, section 6.2.1. */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

export interface KeyPair {
  readonly kid: string;
  readonly publicJwk: PublicJwk;
  /** Opaque on purpose: unlike a JWK, it can be logged or turned into JSON without giving anything away. */
  readonly privateKey: KeyObject;
}

export async function generateKeyPair(): Promise<KeyPair> {
  const { privateKey } = await promisify(generate)('ec', { namedCurve: 'P-256' });
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicJwk = { kty: 'EC', crv: 'P-256', x: String(x), y: String(y) } as const;
  return { kid: thumbprint(publicJwk), publicJwk, privateKey };
}

/**
 * Takes a private JWK (RFC 7518, section 6.2.2).
 * @returns undefined where the public part is not that of `d`: Node takes such a key, and nobody could verify what it
 * signs.
 */
export function keyPairOf({ d, ...publicJwk }: PublicJwk & { readonly d: string }): KeyPair | undefined {
  const derived = createECDH('prime256v1');
  try {
    derived.setPrivateKey(d, 'base64url');
  } catch {
    // Zero, or more than the curve's order.
    return undefined;
  }
  const given = Buffer.concat([
    Buffer.of(4),
    ...[publicJwk.x, publicJwk.y].map((part) => Buffer.from(part, 'base64url')),
  ]);
  if (!derived.getPublicKey().equals(given)) return undefined;
  const privateKey = createPrivateKey({ key: { ...publicJwk, d }, format: 'jwk' });
  return { kid: thumbprint(publicJwk), publicJwk, privateKey };
}

/** RFC 7638: the required members in the order of their names. jose's is asynchronous, and a watch's view is not. */
export function thumbprint({ crv, kty, x, y }: PublicJwk): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}
