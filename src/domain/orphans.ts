// What is left of Users that vanished while nobody watched, and whether it may be collected.
import type { NamespaceView, SecretView } from './observed.ts';

export interface OrphanObserved {
  readonly namespace: NamespaceView;
  readonly secret: Pick<SecretView, 'userUID'> | undefined;
  /** Whether a User with that UID is there. */
  readonly lives: (uid: string) => boolean;
  /** Whether any living User claims the namespace: after a restored backup every User has a new UID. */
  readonly claimed: boolean;
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
