// What the operator makes in the namespaces of users, and which of it is ours to remove.
import {
  ANCHOR_SECRET,
  LABEL,
  NAMESPACE_MADE,
  READER_ROLE,
  TOKEN_ACCOUNT,
  TOKEN_SECRET,
} from '../../api/names.ts';
import type { Resource } from '../../kubernetes/resource.ts';
import type { Stored } from '../../kubernetes/store.ts';
import type { CachedNamespace, CachedUser } from '../../observation/views.ts';

export interface Leftover extends Stored {
  /** The label latchkey.dev/user-uid. */
  readonly userUID: string | undefined;
  readonly finalizers: boolean;
}

function leftovers(name: string, path: string, fixed: string): Resource<Leftover> {
  return {
    name,
    path,
    fieldSelector: `metadata.name=${fixed}`,
    metadataOnly: true,
    view: ({ metadata: { name: own, namespace = '', uid, resourceVersion, labels, finalizers } }) => ({
      name: own,
      namespace,
      uid,
      resourceVersion,
      userUID: labels?.[LABEL.userUID],
      finalizers: (finalizers?.length ?? 0) > 0,
    }),
  };
}

/** In the order in which they go: a token of Kubernetes dies with what it hangs on, one of Latchkey leaves its Secret. */
export const LEFTOVERS: readonly {
  readonly what: string;
  readonly resource: Resource<Leftover>;
  pathOf(leftover: Leftover): string;
}[] = [
  leftoverOf('Secrets', '/api/v1', 'secrets', ANCHOR_SECRET),
  leftoverOf('Secrets', '/api/v1', 'secrets', TOKEN_SECRET),
  leftoverOf('ServiceAccounts', '/api/v1', 'serviceaccounts', TOKEN_ACCOUNT),
  leftoverOf('RoleBindings', '/apis/rbac.authorization.k8s.io/v1', 'rolebindings', READER_ROLE),
];

function leftoverOf(what: string, api: string, plural: string, fixed: string) {
  return {
    what: `${what} ${fixed}`,
    resource: leftovers(plural, `${api}/${plural}`, fixed),
    pathOf: ({ namespace = '' }: Leftover) => `${api}/namespaces/${namespace}/${plural}/${fixed}`,
  };
}

/** By where it lies, by our label, and, where somebody has taken the label away, by what a User remembers. */
export function isOurs(
  namespaces: readonly CachedNamespace[],
  users: readonly CachedUser[],
): (leftover: Leftover) => boolean {
  const made = new Set(namespaces.filter(({ kind }) => kind === NAMESPACE_MADE).map(({ name }) => name));
  const known = new Set(users.flatMap(({ user: { status } }) => [status?.secretUID, status?.anchorUID]));
  return ({ namespace = '', userUID, uid }) => made.has(namespace) || userUID !== undefined || known.has(uid);
}
