// What is said of the licence in conditions, in Secrets without a token and in the portal: what is so, and what to do next.
import type { LicenseStatus } from '../api/token-policy.ts';
import { timestamp } from './conditions.ts';
import { assess, EXPIRING_SOON_MS, isGood, type License, type LicenseReading } from './license.ts';

/** Where the licence lies, in the operator's own namespace. */
export const LICENSE_SECRET = 'latchkey-license';
export const LICENSE_KEY = 'license';

export interface LicenseText {
  readonly isGood: boolean;
  readonly reason: string;
  readonly message: string;
}

const PUT = `puts a new one into the Secret ${LICENSE_SECRET}`;
const AGAIN = 'then everybody signs in again';

/** @returns undefined where no licence is required */
export function licenseText(
  reading: LicenseReading,
  accounted: LicenseStatus | undefined,
): LicenseText | undefined {
  const { content, at } = reading;
  if (content.kind === 'NotRequired') return undefined;
  const bad = (reason: string, message: string) => ({ isGood: false, reason, message });
  if (content.kind === 'Missing')
    return bad(
      'LicenseMissing',
      `There is no licence, so nobody has a token. An admin puts one into the Secret ${LICENSE_SECRET}, under the key ${LICENSE_KEY}; ${AGAIN}.`,
    );
  if (content.kind === 'Invalid')
    return bad(
      'LicenseInvalid',
      `The licence does not count, so nobody has a token: ${content.problem} An admin puts the vendor's into the Secret ${LICENSE_SECRET} just as it came; ${AGAIN}.`,
    );
  const { license } = content;
  const { state, lapsed } = assess(reading, accounted);
  if (lapsed)
    return bad(
      'LicensePending',
      'The licence was renewed after the one before it had ended, and every session is being ended. This passes within seconds while the operator runs.',
    );
  if (isGood(state)) return good(license, state, at);
  if (state === 'NotYetValid')
    return bad(
      'LicenseNotYetValid',
      `The licence of ${license.customer} begins at ${timestamp(license.notBefore)}, so nobody has a token until then. An admin puts the one before it back into the Secret ${LICENSE_SECRET}, if that still counts; ${AGAIN}.`,
    );
  const setBack =
    at < license.expiresAt ? ' The clock of the cluster was set back: it has been later before.' : '';
  return bad(
    'LicenseExpired',
    `The licence of ${license.customer} ended at ${timestamp(license.expiresAt)}, so nobody has a token.${setBack} An admin ${PUT}; ${AGAIN}.`,
  );
}

function good(license: License, state: LicenseStatus['state'], at: Date): LicenseText {
  const { customer, users, expiresAt } = license;
  if (state !== 'Expiring')
    return {
      isGood: true,
      reason: 'LicenseValid',
      message: `The licence of ${customer} is for ${users} users, until ${timestamp(expiresAt)}.`,
    };
  const isSoon = expiresAt.getTime() - at.getTime() <= EXPIRING_SOON_MS;
  return {
    isGood: true,
    reason: isSoon ? 'LicenseExpiringSoon' : 'LicenseExpiring',
    message: `The licence of ${customer} ends at ${timestamp(expiresAt)}. An admin ${PUT} before then; afterwards nobody has a token until everybody has signed in again.`,
  };
}
