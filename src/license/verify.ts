// Reads a licence and says whether the vendor's key vouches for it; whether it is good now is decided elsewhere.
import { compactVerify, decodeProtectedHeader, errors } from 'jose';
import type { License } from '../domain/license.ts';
import { licenseClaims, licenseOf, TYPE, type LicenseClaims } from './claims.ts';
import type { LicenseKey } from './keys.ts';
import { LicenseError } from './license-error.ts';

/** Ours have about 400 characters. */
const MOST_CHARACTERS = 8_192;
const ALGORITHMS: ReadonlySet<unknown> = new Set(['EdDSA', 'ES256']);

/**
 * @param text the licence, as the vendor sent it; white space around it does no harm
 * @throws {LicenseError}
 */
export async function verifyLicense(text: string, keys: readonly LicenseKey[]): Promise<License> {
  const compact = checkKind(text);
  return licenseOf(parseClaims(await verifiedBy(compact, keys)));
}

/**
 * What a licence claims for itself, unverified.
 * @throws {LicenseError}
 */
export function readLicense(text: string): License {
  const [, payload = ''] = checkKind(text).split('.');
  return licenseOf(parseClaims(Buffer.from(payload, 'base64url')));
}

/** @returns the JWS without the white space around it */
function checkKind(text: string): string {
  const compact = text.trim();
  if (compact.length > MOST_CHARACTERS || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(compact)) throw malformed();
  const { alg, typ } = header(compact);
  if (typ !== TYPE)
    throw new LicenseError('LicenseForeign', 'It is a token of another kind, and no licence of Latchkey.');
  if (!ALGORITHMS.has(alg)) throw forged();
  return compact;
}

function header(compact: string): { readonly alg?: unknown; readonly typ?: unknown } {
  try {
    return decodeProtectedHeader(compact);
  } catch {
    throw malformed();
  }
}

async function verifiedBy(compact: string, keys: readonly LicenseKey[]): Promise<Uint8Array> {
  for (const { key, algorithm } of keys) {
    try {
      return (await compactVerify(compact, key, { algorithms: [algorithm] })).payload;
    } catch (error) {
      if (error instanceof errors.JWSInvalid) throw malformed();
      // Another key may be the one.
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  throw forged();
}

function parseClaims(payload: Uint8Array): LicenseClaims {
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw malformed();
  }
  const parsed = licenseClaims.safeParse(claims);
  if (parsed.success) return parsed.data;
  const wrong = [...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'claims')))];
  if (wrong.includes('iss') || wrong.includes('aud'))
    throw new LicenseError('LicenseForeign', 'It is not issued for Latchkey.');
  throw new LicenseError(
    'LicenseIncomplete',
    `These of its claims are missing or wrong: ${wrong.join(', ')}.`,
  );
}

function malformed(): LicenseError {
  return new LicenseError(
    'LicenseMalformed',
    'It was cut off or changed on its way, or is no licence at all.',
  );
}

function forged(): LicenseError {
  return new LicenseError('LicenseForged', "It is not signed with the vendor's key, or was cut off.");
}
