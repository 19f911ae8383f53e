// The vendor's keys: the public ones that licences are verified with, and the private one that signs them.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { LicenseKeyError } from './license-error.ts';

export type LicenseAlgorithm = 'EdDSA' | 'ES256';

export interface LicenseKey {
  readonly key: KeyObject;
  readonly algorithm: LicenseAlgorithm;
}

/** A vendor that changes its key publishes the old and the new one for a while. */
const MOST_KEYS = 8;

const document = z.looseObject({ keys: z.array(z.looseObject({})).optional() });

/**
 * @param text PEM (SubjectPublicKeyInfo, one or several), a JWK (RFC 7517) or a JWK Set
 * @throws {LicenseKeyError} where there is no key, too many, one of another kind, or a private one: that stays with the
 * vendor
 */
export function publicKeys(text: string): readonly LicenseKey[] {
  const keys = isJson(text) ? fromJson(text) : fromPem(text);
  if (keys.length === 0 || keys.length > MOST_KEYS)
    throw unusable(`The file has to hold 1 to ${MOST_KEYS} public keys, as PEM or as a JWK Set.`);
  return keys;
}

/**
 * @param text PEM (PKCS #8) or a private JWK
 * @throws {LicenseKeyError}
 */
export function privateKey(text: string): LicenseKey {
  return withAlgorithm(
    attempt(() =>
      isJson(text) ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' }) : createPrivateKey(text),
    ),
  );
}

function fromPem(text: string): LicenseKey[] {
  if (text.includes('PRIVATE KEY')) throw isPrivate();
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  return blocks.map((pem) => withAlgorithm(attempt(() => createPublicKey(pem))));
}

function fromJson(text: string): LicenseKey[] {
  const parsed = document.safeParse(attempt(() => JSON.parse(text)));
  if (!parsed.success) throw unusable('The file is neither a JWK nor a JWK Set.');
  return (parsed.data.keys ?? [parsed.data]).map((jwk) => {
    if ('d' in jwk || 'k' in jwk) throw isPrivate();
    return withAlgorithm(attempt(() => createPublicKey({ key: jwk, format: 'jwk' })));
  });
}

const isJson = (text: string) => text.trimStart().startsWith('{');

/** The kind of the key decides by which algorithm it verifies, never the header of what it is to verify. */
function withAlgorithm(key: KeyObject): LicenseKey {
  if (key.asymmetricKeyType === 'ed25519') return { key, algorithm: 'EdDSA' };
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1')
    return { key, algorithm: 'ES256' };
  throw unusable('Keys for licences are of Ed25519 or P-256.');
}

/** Node's own errors may quote the key. */
function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw unusable('The file is not a key that can be read, as PEM or as a JWK.');
  }
}

function isPrivate(): LicenseKeyError {
  return unusable(
    "The file holds a private or secret key, which stays with the vendor. Give the vendor's public key.",
  );
}

function unusable(message: string): LicenseKeyError {
  return new LicenseKeyError('LicenseKeyUnusable', message);
}
