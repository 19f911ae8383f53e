// What is left of Users that vanished while nobody watched, and whether it may be collected.
import type { Cause } from './happening.ts';
import type { Permission } from './holds.ts';
import type { NamespaceView, SecretView } from './observed.ts';

/** What the watch of a CustomResourceDefinition tells. */
export interface DefinitionView {
  readonly createdAt: string;
  /** metadata.deletionTimestamp */
  readonly deletedAt: string | undefined;
}

/** Whether the objects of a CustomResourceDefinition go because it does: then no admin has named one of them. */
export function isGoing(definition: DefinitionView | undefined): boolean {
  return definition === undefined || definition.deletedAt !== undefined;
}

/**
 * Whether no admin can have meant that the owner of a namespace is gone: its User went with the
 * CustomResourceDefinition. One that was put back since is younger than the namespace; times are RFC 3339, UTC, in
 * seconds, so they sort as text. This needs no memory: it holds after "latchkey release", and after a deletion by hand
 * that no operator saw.
 */
export function wentWithDefinition(
  namespace: { readonly createdAt: string },
  definition: DefinitionView | undefined,
): boolean {
  return isGoing(definition) || namespace.createdAt < (definition?.createdAt ?? '');
}

/** Why the token in a namespace goes whose User is gone without having been offboarded. */
export const USER_GONE: Cause = {
  reason: 'UserGone',
  message: 'The User is gone without having been offboarded, so what is left of it is collected.',
};

/**
 * How much longer an orphaned namespace waits: a restore brings namespaces back before the Users, and nothing brings
 * back what was collected. An admin's confirmation waits for nothing.
 * @param waitedMs since this leader first saw it orphaned
 */
export function collectedInMs(
  permission: Permission & { given: true },
  waitedMs: number,
  graceMs: number,
): number {
  return permission.hold === undefined ? Math.max(graceMs - waitedMs, 0) : 0;
}

export interface OrphanObserved {
  readonly namespace: NamespaceView;
  readonly secret: Pick<SecretView, 'userUID'> | undefined;
  /** Whether a User with that UID is there. */
  readonly lives: (uid: string) => boolean;
  /** Whether any living User claims the namespace: after a restored backup every User has a new UID. */
  readonly claimed: boolean;
}

/**
 * Whether the Secret in a namespace that we did not make holds a token of somebody who is gone, while a living User claims
 * the namespace: that one may read it, and has no use for it. In a namespace that we made it is written over.
 * @param isKnown whether the status of a living User says that the Secret is its own, whatever the label says
 */
export function isLeftToOthers(
  { namespace, secret, lives, claimed }: OrphanObserved,
  isKnown: boolean,
): boolean {
  return (
    claimed &&
    !isKnown &&
    namespace.kind !== 'made' &&
    secret?.userUID !== undefined &&
    !lives(secret.userUID)
  );
}

/** What is ours to collect in a namespace that nobody living claims: all of what we made, for somebody who is gone. */
export function orphan({
  namespace,
  secret,
  lives,
  claimed,
}: OrphanObserved): 'Namespace' | 'Secret' | undefined {
  if (claimed) return undefined;
  if (namespace.kind === 'made')
    return namespace.userUID !== undefined && !lives(namespace.userUID) ? 'Namespace' : undefined;
  // In a namespace that was handed over, the token of a User that vanished.
  return secret?.userUID !== undefined && !lives(secret.userUID) ? 'Secret' : undefined;
}
