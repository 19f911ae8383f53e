// Makes a licence, with the vendor's private key.
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { License } from '../domain/license.ts';
import { AUDIENCE, ISSUER, licenseClaims, TYPE, type LicenseClaims } from './claims.ts';
import type { LicenseKey } from './keys.ts';
import { LicenseError } from './license-error.ts';

/**
 * @returns the licence as a compact JWS; its times are cut to whole seconds
 * @throws {LicenseError} `LicenseIncomplete` where no operator would take it
 */
export async function issueLicense(
  { customer, users, notBefore, expiresAt }: Omit<License, 'id'>,
  { key, algorithm }: LicenseKey,
  now: Date,
): Promise<string> {
  const claims: LicenseClaims = {
    iss: ISSUER,
    aud: AUDIENCE,
    jti: randomUUID(),
    customer,
    users,
    iat: seconds(now),
    nbf: seconds(notBefore),
    exp: seconds(expiresAt),
  };
  const parsed = licenseClaims.safeParse(claims);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new LicenseError(
      'LicenseIncomplete',
      `No operator would take this licence. ${problems.join('; ')}`,
    );
  }
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: algorithm, typ: TYPE }).sign(key);
}

const seconds = (date: Date) => Math.floor(date.getTime() / 1_000);
