// Whose a namespace, a Secret and a RoleBinding are: nothing that is not ours is overwritten or deleted.
import { NAMESPACE_HANDED_OVER, NAMESPACE_MADE } from '../api/names.ts';
import { effectiveNamespace } from './effective.ts';
import type { Observed } from './observed.ts';

export type NamespaceClaim =
  | 'Absent'
  | 'Made' // by us for this User: ours to delete
  | 'HandedOver' // by an admin: ours to use, never to delete
  | 'Taken' // an older User claims it, or its label names another User that lives
  | 'Orphaned' // made for a User that is gone: a restored backup, or a User deleted while nobody watched
  | 'Foreign'
  | 'Reserved';

export function namespaceClaim({
  user,
  namespace,
  namespaceHolder,
  namespaceOwnerLives,
  settings,
}: Observed): NamespaceClaim {
  if (effectiveNamespace(user) === settings.operatorNamespace) return 'Reserved';
  // Who has it keeps it. Age alone does not settle it: it counts in seconds, and Users are made faster.
  if (namespace?.kind === NAMESPACE_MADE && namespace.userUID === user.metadata.uid) return 'Made';
  if (namespaceHolder.metadata.uid !== user.metadata.uid) return 'Taken';
  if (!namespace) return 'Absent';
  if (namespace.kind === 'foreign') return 'Foreign';
  if (namespace.kind === NAMESPACE_HANDED_OVER) return 'HandedOver';
  return namespaceOwnerLives ? 'Taken' : 'Orphaned';
}

/** An orphaned namespace is one that we made, for somebody who is gone: whose token has to go, too. */
function isOurs(claim: NamespaceClaim): boolean {
  return claim === 'Made' || claim === 'Orphaned';
}

/**
 * Whether the Secret access-token is ours. In a namespace that we made, whatever has its name is; in another one only
 * what our label or the UID in the status says, even when somebody has stripped the label.
 */
export function ownsSecret({ user, secret }: Observed, claim: NamespaceClaim): boolean {
  if (!secret) return false;
  return isOurs(claim) || secret.userUID === user.metadata.uid || secret.uid === user.status?.secretUID;
}

/** As ownsSecret, of the Secret access-token-binding. */
export function ownsAnchor({ user, anchor }: Observed, claim: NamespaceClaim): boolean {
  if (!anchor) return false;
  return isOurs(claim) || anchor.userUID === user.metadata.uid || anchor.uid === user.status?.anchorUID;
}

export function ownsBinding({ user, binding }: Observed, claim: NamespaceClaim): boolean {
  if (!binding) return false;
  return isOurs(claim) || binding.userUID === user.metadata.uid;
}
