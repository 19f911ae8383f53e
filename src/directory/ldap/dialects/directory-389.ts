// What 389 Directory Server, Red Hat Directory Server and FreeIPA say of an account.
import type { Spell } from '../../../domain/standing.ts';
import type { Entry } from '../entry.ts';
import { latestTime, readingOf } from './reading.ts';

/** nsAccountLock may come from a role, and then only to those that ask for it by name. */
export const DIRECTORY_389_ATTRIBUTES = [
  'nsAccountLock',
  'krbPrincipalExpiration',
  'krbPasswordExpiration',
  'passwordExpirationTime',
  'accountUnlockTime',
  'pwdUpdateTime',
  'krbLastPwdChange',
] as const;

/** An account that its admin has to unlock has this in accountUnlockTime (ldap/servers/slapd/pw_retry.c). */
const BY_AN_ADMIN = 0;

export function directory389Spells(entry: Entry): readonly Spell[] {
  const { flag, time, spell, spells } = readingOf(entry);
  if (flag('nsAccountLock') === true) spell('Disabled');
  spell('Expired', { from: time('krbPrincipalExpiration') ?? Infinity });
  for (const attribute of ['krbPasswordExpiration', 'passwordExpirationTime'])
    spell('PasswordExpired', { from: time(attribute) ?? Infinity });
  const unlock = time('accountUnlockTime');
  if (unlock !== undefined) spell('Locked', { until: unlock === BY_AN_ADMIN ? Infinity : unlock });
  return spells;
}

/** pwdUpdateTime is there with passwordTrackUpdateTime: on (ldap/servers/slapd/pw.c); FreeIPA has its own. */
export function directory389PasswordChange(entry: Entry): number | undefined {
  return latestTime(entry, ['pwdUpdateTime', 'krbLastPwdChange']);
}
