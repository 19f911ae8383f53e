// `latchkey license`: makes a licence with the vendor's private key, and shows what one says and whether it counts.
import { LICENSE_KEY, LICENSE_SECRET } from '../domain/license-texts.ts';
import type { License } from '../domain/license.ts';
import { issueLicense } from '../license/issue.ts';
import { privateKey, publicKeys } from '../license/keys.ts';
import { LicenseError } from '../license/license-error.ts';
import { readLicense, verifyLicense } from '../license/verify.ts';
import { readKeyFile } from './read-key-file.ts';

export interface IssueSettings {
  readonly privateKeyFile: string;
  readonly customer: string;
  readonly users: number;
  readonly notBefore: Date | undefined;
  readonly expiresAt: Date;
}

/**
 * @returns the licence, for the Secret latchkey-license
 * @throws {SettingsError} where there is no such key @throws {LicenseError} `LicenseIncomplete`
 */
export function makeLicense(
  { privateKeyFile, notBefore, ...terms }: IssueSettings,
  now: Date,
): Promise<string> {
  const key = readKeyFile('privateKeyFile', privateKeyFile, privateKey);
  return issueLicense({ ...terms, notBefore: notBefore ?? now }, key, now);
}

export interface ShowCommand {
  /** The licence itself, from a file or from the Secret. */
  readonly text: string;
  readonly publicKeyFile: string | undefined;
  readonly now: Date;
  readonly out: (line: string) => void;
}

/** @throws {LicenseError} where it is none, or the vendor's key does not vouch for it; what it claims is printed first */
export async function showLicense({ text, publicKeyFile, now, out }: ShowCommand): Promise<void> {
  const claimed = readLicense(text);
  const keys =
    publicKeyFile === undefined ? undefined : readKeyFile('licensePublicKeyFile', publicKeyFile, publicKeys);
  let refusal: LicenseError | undefined;
  if (keys) {
    await verifyLicense(text, keys).catch((error: unknown) => {
      if (!(error instanceof LicenseError)) throw error;
      refusal = error;
    });
  }
  const row = (name: string, value: string) => out(`${name.padEnd(12)}${value}`);
  row('customer', claimed.customer);
  row('users', String(claimed.users));
  row('not before', claimed.notBefore.toISOString());
  row('expires', `${claimed.expiresAt.toISOString()} (${when(claimed, now)})`);
  row('id', claimed.id);
  row(
    'signature',
    refusal ? 'does not hold' : keys ? 'holds' : 'not checked: give --license-public-key-file',
  );
  if (refusal) throw refusal;
}

function when({ notBefore, expiresAt }: License, now: Date): string {
  if (now < notBefore) return 'not valid yet';
  return now < expiresAt ? 'valid now' : 'expired';
}

/** Where `license show` looks without a file. */
export const IN_CLUSTER = { name: LICENSE_SECRET, key: LICENSE_KEY } as const;
