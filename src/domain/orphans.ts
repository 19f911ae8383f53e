// What is left of Users that vanished while nobody watched, and whether it may be collected.
import type { NamespaceView } from './observed.ts';

export interface OrphanObserved {
  readonly namespace: NamespaceView;
  /** Whether the User that the namespace's label names is there. */
  readonly ownerLives: boolean;
  /** Whether any living User claims the namespace: after a restored backup every User has a new UID. */
  readonly claimed: boolean;
}

/** Only what we made, for somebody who is gone, that nobody living claims. */
export function isOrphan({ namespace, ownerLives, claimed }: OrphanObserved): boolean {
  return namespace.kind === 'made' && namespace.userUID !== undefined && !ownerLives && !claimed;
}

/** Fewer are an ordinary day; a share below this is an ordinary day of a large company. */
const ACCIDENT_USERS = 10;
const ACCIDENT_SHARE = 0.2;

/**
 * Whether so many would lose their namespace at once, for a reason that no admin gave, that an accident is likelier: a
 * deleted CRD, a restore in progress.
 */
export function looksLikeAnAccident(affected: number, all: number): boolean {
  return affected >= ACCIDENT_USERS && affected >= all * ACCIDENT_SHARE;
}
