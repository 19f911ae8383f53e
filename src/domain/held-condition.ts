// The condition Held of the TokenPolicy: what is held, and the command that lets it go on.
import type { Condition } from '../api/metadata.ts';
import type { Hold } from '../api/token-policy.ts';
import type { ConditionUpdate } from './conditions.ts';
import { CAUSES } from './holds.ts';

/** @returns undefined where nothing is held, and nothing ever was. */
export function heldCondition(
  holds: readonly Hold[],
  before: readonly Condition[] | undefined,
): ConditionUpdate | undefined {
  const open = holds.filter(({ confirmed }) => !confirmed);
  const [first] = open;
  if (first)
    return { type: 'Held', status: 'True', reason: first.cause, message: open.map(describeHold).join(' ') };
  if (!before?.some(({ type }) => type === 'Held')) return undefined;
  const going = holds.length > 0;
  return {
    type: 'Held',
    status: 'False',
    reason: going ? 'Confirmed' : 'NothingHeld',
    message: going
      ? `An admin has confirmed ${holds.map(({ id }) => id).join(', ')}, which goes on.`
      : 'Nothing waits for an admin.',
  };
}

/** One hold in a few sentences: what is so, how it goes on, what to do where it was not meant. */
export function describeHold({ id, cause, affected, of }: Hold): string {
  const { says, undo } = CAUSES[cause];
  const clause = says(affected, of);
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}. Nothing more is taken away. Where it is meant, an admin runs "latchkey confirm ${id}". Where it is not: ${undo.charAt(0).toLowerCase()}${undo.slice(1)}`;
}
