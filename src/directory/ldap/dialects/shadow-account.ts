// What the attributes of shadowAccount (RFC 2307, shadow(5)) say of an account.
import type { Spell } from '../../../domain/standing.ts';
import type { Entry } from '../entry.ts';
import { daysSince1970 } from '../generalized-time.ts';
import { readingOf } from './reading.ts';

export const SHADOW_ACCOUNT_ATTRIBUTES = ['shadowExpire', 'shadowLastChange', 'shadowMax'] as const;

/** Days begin at midnight UTC. -1 is never, and so is 0, which shadow(5) tells not to use. */
export function shadowAccountSpells(entry: Entry): readonly Spell[] {
  const { integer, spell, spells } = readingOf(entry);
  const expire = integer('shadowExpire') ?? -1n;
  if (expire > 0n) spell('Expired', { from: daysSince1970(expire) });
  const changed = integer('shadowLastChange') ?? -1n;
  const max = integer('shadowMax') ?? -1n;
  if (changed === 0n) spell('PasswordExpired');
  else if (changed > 0n && max >= 0n) spell('PasswordExpired', { from: daysSince1970(changed + max + 1n) });
  return spells;
}
