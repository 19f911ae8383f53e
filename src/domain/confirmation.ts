// How an admin's confirmation of a hold is written: in an annotation of the TokenPolicy that the API server guards.
import { ANNOTATION } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';

/**
 * The ids that an admin has confirmed; several are separated by commas. The chart's admission policy latchkey-confirm
 * lets only those write them who have the verb `confirm`, so that neither the operator nor whoever may change a policy
 * can answer for an admin.
 */
export function confirmedIds(policy: TokenPolicy | undefined): ReadonlySet<string> {
  const value = policy?.metadata.annotations?.[ANNOTATION.confirm] ?? '';
  const ids = value.split(',').map((id) => id.trim());
  return new Set(ids.filter((id) => id !== ''));
}

/** The annotation with one more id; those of holds that are over are dropped. */
export function confirmationOf(policy: TokenPolicy, id: string): string {
  const there = new Set(policy.status?.holds?.map((hold) => hold.id));
  return [...new Set([...confirmedIds(policy), id])].filter((each) => there.has(each)).join(',');
}
