// Tells by the entries of groups whether one of them has changed: the entries of their members do not show it.
import { textsOf } from '../entry.ts';
import type { SearchAnswer, SearchOptions } from '../search.ts';

/** OpenLDAP's, to the microsecond; Active Directory's; everybody's, by which two changes in one second are one. */
const STAMPS = ['entryCSN', 'uSNChanged', 'modifyTimestamp'];

/**
 * A text that is the same for as long as no group is changed, made or removed; one short search for each group. A group
 * in a group shows nothing of it in the outer one.
 * @param groups DNs
 */
export async function groupStamps(
  ask: (options: Omit<SearchOptions, 'timeoutMs'>) => Promise<SearchAnswer>,
  groups: readonly string[],
): Promise<string> {
  const stamps: unknown[] = [];
  for (const baseDN of groups) {
    const { resultCode, entries } = await ask({ baseDN, scope: 'base', attributes: STAMPS, sizeLimit: 1 });
    const [entry] = entries;
    stamps.push([baseDN, resultCode, entry && STAMPS.map((attribute) => textsOf(entry, attribute))]);
  }
  return JSON.stringify(stamps);
}
