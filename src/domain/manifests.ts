// The objects that Latchkey makes for a User, as they are written to the API server.
import {
  ANCHOR_SECRET,
  ANNOTATION,
  LABEL,
  MANAGED_BY,
  NAMESPACE_MADE,
  READER_ROLE,
  TOKEN_ACCOUNT,
  TOKEN_KEY,
  TOKEN_SECRET,
} from '../api/names.ts';
import type { User } from '../api/user.ts';
import { effectiveNamespace } from './effective.ts';

function ownLabels(user: User) {
  return { [LABEL.managedBy]: MANAGED_BY, [LABEL.userUID]: user.metadata.uid };
}

/** What Pods in a namespace may do. @see https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export type PodSecurity = 'restricted' | 'baseline' | 'privileged';

export function namespaceManifest(user: User, podSecurity: PodSecurity) {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: effectiveNamespace(user),
      labels: {
        ...ownLabels(user),
        [LABEL.namespace]: NAMESPACE_MADE,
        'pod-security.kubernetes.io/enforce': podSecurity,
      },
      annotations: { [ANNOTATION.user]: user.metadata.name },
    },
  };
}

/** Lets the user, and nobody else, read the Secret: `username` is its name to Kubernetes. */
export function bindingManifest(user: User, username: string) {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: READER_ROLE, namespace: effectiveNamespace(user), labels: ownLabels(user) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: READER_ROLE },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: username }],
  };
}

/** Empty, and without a finalizer: its deletion must end its tokens at once. */
export function anchorManifest(user: User, { session, epoch }: { session: string; epoch: string }) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: ANCHOR_SECRET,
      namespace: effectiveNamespace(user),
      labels: ownLabels(user),
      annotations: {
        [ANNOTATION.user]: user.metadata.name,
        [ANNOTATION.session]: session,
        [ANNOTATION.epoch]: epoch,
      },
      ...NOT_THERE,
    },
  };
}

/** Bound to nothing, and mounted nowhere by itself. */
export function tokenAccountManifest(user: User) {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: TOKEN_ACCOUNT, namespace: effectiveNamespace(user), labels: ownLabels(user) },
    automountServiceAccountToken: false,
  };
}

/** Why there is no token. */
export interface Absence {
  readonly reason: string;
  readonly message: string;
}

export type SecretContent =
  | {
      readonly token: string;
      readonly expiresAt: Date;
      readonly session: string;
      readonly claims: string;
      readonly kid: string | undefined;
    }
  | Absence;

const SECRET_TYPE = 'Opaque';

/**
 * etcd counts on from 1, so no object has this version: a server-side apply that carries it creates, or is refused
 * (409) where one stands already. Without it an apply would merge itself into what somebody else has just put there.
 */
const NOT_THERE = { resourceVersion: '1' };

/**
 * Clears what Kubernetes notes about who set which field (Server-Side Apply, "Clearing managedFields"). Where nothing is
 * noted, nothing has to be compared at each refresh, which is a tenth of what a write costs the API server; and anybody
 * can forge it, so nothing here goes by it.
 */
const FORGET_FIELDS = [{}];

/** One that is to be made, and is not there yet. Without a token: that one is written when it is known what is there. */
export function newSecretManifest(user: User, absence: Absence) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: SECRET_TYPE,
    metadata: { ...secretMetadata(user, absence), ...NOT_THERE },
  };
}

/** `version` names what is replaced: a PUT of it fails where somebody else was faster. */
export function secretInPlace(
  user: User,
  content: SecretContent,
  { uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string },
) {
  return {
    type: SECRET_TYPE,
    metadata: {
      ...secretMetadata(user, content),
      uid,
      resourceVersion,
      managedFields: FORGET_FIELDS,
    },
    data: 'token' in content ? { [TOKEN_KEY]: new TextEncoder().encode(content.token) } : {},
  };
}

function secretMetadata(user: User, content: SecretContent) {
  const annotations: Record<string, string> = { [ANNOTATION.user]: user.metadata.name };
  if ('token' in content) {
    annotations[ANNOTATION.expiresAt] = content.expiresAt.toISOString();
    annotations[ANNOTATION.session] = content.session;
    annotations[ANNOTATION.claims] = content.claims;
  } else {
    annotations[ANNOTATION.reason] = content.reason;
    annotations[ANNOTATION.message] = content.message;
  }
  return { name: TOKEN_SECRET, namespace: effectiveNamespace(user), labels: ownLabels(user), annotations };
}
