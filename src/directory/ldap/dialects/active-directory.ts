// What Active Directory, Samba and AD LDS say of an account.
import type { Spell } from '../../../domain/standing.ts';
import type { Entry } from '../entry.ts';
import { fileTime } from '../generalized-time.ts';
import { readingOf } from './reading.ts';

// https://learn.microsoft.com/en-us/troubleshoot/windows-server/active-directory/useraccountcontrol-manipulate-account-properties
const ACCOUNT_DISABLED = 0x2n;
// https://learn.microsoft.com/en-us/windows/win32/adschema/a-msds-user-account-control-computed
const LOCKED_OUT = 0x10n;
const PASSWORD_EXPIRED = 0x80_0000n;

/** The computed ones come only to those that ask for them by name. */
export const ACTIVE_DIRECTORY_ATTRIBUTES = [
  'userAccountControl',
  'accountExpires',
  'msDS-User-Account-Control-Computed',
  'msDS-UserPasswordExpiryTimeComputed',
  'msDS-UserAccountDisabled',
  'pwdLastSet',
] as const;

/** AD LDS has no userAccountControl, and msDS-UserAccountDisabled in its place. */
export function activeDirectorySpells(entry: Entry): readonly Spell[] {
  const { integer, flag, spell, unreadable, spells } = readingOf(entry);

  const control = integer('userAccountControl');
  const disabled = flag('msDS-UserAccountDisabled');
  if (disabled === true || (control !== undefined && (control & ACCOUNT_DISABLED) !== 0n)) spell('Disabled');
  else if (control === undefined && disabled === undefined) unreadable('userAccountControl', 'NotThere');

  const expiry = integer('accountExpires');
  if (expiry !== undefined && expiry < 0n) unreadable('accountExpires');
  else if (expiry !== undefined) spell('Expired', { from: fileTime(expiry) });

  const computed = integer('msDS-User-Account-Control-Computed') ?? 0n;
  if ((computed & LOCKED_OUT) !== 0n) spell('Locked');
  if ((computed & PASSWORD_EXPIRED) !== 0n) spell('PasswordExpired');
  // 0 is a password that has to be changed at the next logon; the flag above says so, too.
  const passwordExpiry = integer('msDS-UserPasswordExpiryTimeComputed') ?? 0n;
  if (passwordExpiry > 0n) spell('PasswordExpired', { from: fileTime(passwordExpiry) });
  return spells;
}

/**
 * 0 says that the password has to be changed, as after a reset by an admin: then the last one counts no more. It says
 * nothing where passwords do not expire.
 */
export function activeDirectoryPasswordChange(entry: Entry): number | undefined {
  const { integer } = readingOf(entry);
  const set = integer('pwdLastSet');
  if (set === undefined || set < 0n) return undefined;
  if (set > 0n) return fileTime(set);
  const computed = integer('msDS-User-Account-Control-Computed') ?? 0n;
  return (computed & PASSWORD_EXPIRED) === 0n ? undefined : Infinity;
}
