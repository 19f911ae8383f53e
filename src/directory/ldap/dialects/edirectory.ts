// What eDirectory says of an account.
import type { Spell } from '../../../domain/standing.ts';
import type { Entry } from '../entry.ts';
import { readingOf } from './reading.ts';

export const EDIRECTORY_ATTRIBUTES = [
  'loginDisabled',
  'loginExpirationTime',
  'lockedByIntruder',
  'loginIntruderResetTime',
  'passwordExpirationTime',
] as const;

/** @see https://ldapwiki.com/wiki/Wiki.jsp?page=Administratively%20Disabled */
export function eDirectorySpells(entry: Entry): readonly Spell[] {
  const { flag, time, spell, spells } = readingOf(entry);
  if (flag('loginDisabled') === true) spell('Disabled');
  spell('Expired', { from: time('loginExpirationTime') ?? Infinity });
  const reset = time('loginIntruderResetTime');
  if (flag('lockedByIntruder') === true) spell('Locked', { until: reset ?? Infinity });
  spell('PasswordExpired', { from: time('passwordExpirationTime') ?? Infinity });
  return spells;
}
