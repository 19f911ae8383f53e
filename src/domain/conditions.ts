// Sets a condition the way Kubernetes means it: lastTransitionTime moves only when the status does.
import type { Condition } from '../api/metadata.ts';

export type ConditionUpdate = Pick<
  Condition,
  'type' | 'status' | 'reason' | 'message' | 'observedGeneration'
>;

/**
 * @returns the same array where nothing has changed
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/api/meta/conditions.go SetStatusCondition
 */
export function withCondition(
  conditions: Condition[] | undefined,
  update: ConditionUpdate,
  now: Date,
): Condition[] {
  const old = conditions?.find(({ type }) => type === update.type);
  if (conditions && old && isSame(old, update)) return conditions;
  const lastTransitionTime = old?.status === update.status ? old.lastTransitionTime : timestamp(now);
  const others = (conditions ?? []).filter(({ type }) => type !== update.type);
  return [...others, { ...update, lastTransitionTime }].toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

function isSame(old: Condition, { status, reason, message, observedGeneration }: ConditionUpdate): boolean {
  return (
    old.status === status &&
    old.reason === reason &&
    old.message === message &&
    old.observedGeneration === observedGeneration
  );
}

/** For what is not asked about any more. */
export function withoutCondition(conditions: Condition[] = [], type: string): Condition[] {
  return conditions.some((condition) => condition.type === type)
    ? conditions.filter((condition) => condition.type !== type)
    : conditions;
}

/** metav1.Time: RFC 3339 with a grain of one second. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
