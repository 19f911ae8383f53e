// Sets a condition the way Kubernetes means it: lastTransitionTime moves only when the status does.
import type { Condition } from '../api/metadata.ts';

export type ConditionUpdate = Pick<
  Condition,
  'type' | 'status' | 'reason' | 'message' | 'observedGeneration'
>;

/** @see https://github.com/kubernetes/apimachinery/blob/master/pkg/api/meta/conditions.go SetStatusCondition */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  update: ConditionUpdate,
  now: Date,
): Condition[] {
  const old = conditions?.find(({ type }) => type === update.type);
  const lastTransitionTime = old?.status === update.status ? old.lastTransitionTime : timestamp(now);
  const others = (conditions ?? []).filter(({ type }) => type !== update.type);
  return [...others, { ...update, lastTransitionTime }].toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

/** For what is not asked about any more. */
export function withoutCondition(conditions: readonly Condition[] | undefined, type: string): Condition[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

/** metav1.Time: RFC 3339 with a grain of one second. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
