// What the password policy overlay of OpenLDAP says of an account.
import type { Spell } from '../../../domain/standing.ts';
import type { Entry } from '../entry.ts';
import { generalizedTime } from '../generalized-time.ts';
import { latestTime, readingOf } from './reading.ts';

/** All are operational: they come only to those that ask for them by name. */
export const OPENLDAP_PPOLICY_ATTRIBUTES = [
  'pwdAccountLockedTime',
  'pwdStartTime',
  'pwdEndTime',
  'pwdReset',
  'pwdChangedTime',
] as const;

/** What an admin writes to lock an account for good (draft-behera-ldap-password-policy-10, section 5.3.3). */
const FOR_GOOD = '000001010000Z';

/** What counts of the policy of an account; without a value the policy sets no such time. */
export interface PasswordPolicy {
  /** pwdLockoutDuration, in milliseconds. */
  readonly lockoutMs?: number;
  /** pwdMaxAge, in milliseconds. */
  readonly maxAgeMs?: number;
}

/**
 * A lock without a known duration holds until the server takes the attribute away: when an admin resets the password,
 * or when the right one is typed after the duration.
 */
export function openLdapSpells(entry: Entry, { lockoutMs, maxAgeMs }: PasswordPolicy = {}): readonly Spell[] {
  const { text, time, flag, spell, unreadable, spells } = readingOf(entry);

  const locked = text('pwdAccountLockedTime');
  const lockedAt = locked === undefined || locked === FOR_GOOD ? undefined : generalizedTime(locked);
  if (locked === FOR_GOOD) spell('Disabled');
  else if (lockedAt !== undefined)
    spell('Locked', { from: lockedAt, until: lockoutMs === undefined ? Infinity : lockedAt + lockoutMs });
  else if (locked !== undefined) unreadable('pwdAccountLockedTime');

  spell('NotYetValid', { until: time('pwdStartTime') ?? -Infinity });
  spell('Expired', { from: time('pwdEndTime') ?? Infinity });

  if (flag('pwdReset') === true) spell('PasswordExpired');
  const changed = time('pwdChangedTime');
  if (changed !== undefined && maxAgeMs !== undefined) spell('PasswordExpired', { from: changed + maxAgeMs });
  return spells;
}

export function openLdapPasswordChange(entry: Entry): number | undefined {
  return latestTime(entry, ['pwdChangedTime']);
}
