// Finds what is left of Users that are gone.
import { isLeftToOthers, orphan, type OrphanObserved } from '../../domain/orphans.ts';
import type { Caches } from '../../observation/caches.ts';
import type { CachedAnchor, CachedNamespace, CachedSecret } from '../../observation/views.ts';

export interface Orphan {
  readonly namespace: CachedNamespace;
  /** All that we made, or the Secret in a namespace that we did not. */
  readonly what: 'Namespace' | 'Secret';
  /** The User that it was made for. */
  readonly userUID: string;
  readonly userName: string | undefined;
}

/** What is left in this namespace of a User that the cache does not know. */
export function orphanIn(caches: Caches, namespace: CachedNamespace): Orphan | undefined {
  if (namespace.deleting) return undefined;
  const secret = caches.secrets.get(namespace.name);
  const what = orphan(observed(caches, namespace));
  const owner = what === 'Namespace' ? namespace : secret;
  return what && owner?.userUID !== undefined
    ? { namespace, what, userUID: owner.userUID, userName: owner.userName }
    : undefined;
}

/** A token of a User that the cache does not know, in a namespace that somebody else claims by now. */
export function tokenLeftIn(caches: Caches, namespace: CachedNamespace): CachedSecret | undefined {
  const picture = observed(caches, namespace);
  const { secret } = picture;
  const claimants = caches.byNamespace.get(namespace.name);
  const isKnown = claimants.some(({ user }) => user.status?.secretUID === secret?.uid);
  return isLeftToOthers(picture, isKnown) ? secret : undefined;
}

function observed(
  caches: Caches,
  namespace: CachedNamespace,
): OrphanObserved & { readonly secret: CachedSecret | undefined } {
  return {
    namespace,
    secret: caches.secrets.get(namespace.name),
    lives: (uid) => caches.byUID.get(uid).length > 0,
    claimed: caches.byNamespace.get(namespace.name).length > 0,
  };
}

/** Whether a foreign finalizer keeps a token, and with it the namespace that is on its way, after its User is gone. */
export function tokenStuckIn(caches: Caches, namespace: CachedNamespace): CachedSecret | undefined {
  const secret = caches.secrets.get(namespace.name);
  if (!namespace.deleting || !secret?.finalizers) return undefined;
  return orphanIn(caches, { ...namespace, deleting: false }) && secret;
}

/**
 * What tokens of Kubernetes hang on that were given to a User whom the cache does not know: they live for as long as it
 * stands, also where somebody else claims the namespace by now.
 */
export function deadAnchorIn(caches: Caches, namespace: string): CachedAnchor | undefined {
  const anchor = caches.anchors.get(namespace);
  return anchor?.userUID !== undefined && caches.byUID.get(anchor.userUID).length === 0 ? anchor : undefined;
}

export function* orphans(caches: Caches): Iterable<Orphan> {
  for (const namespace of caches.namespaces.values()) {
    const found = orphanIn(caches, namespace);
    if (found) yield found;
  }
}
