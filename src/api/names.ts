// The names that Latchkey puts into a cluster; admins, scripts and RBAC rely on them, so they do not change.

export const GROUP = 'latchkey.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** What Kubernetes takes as the name of a namespace, and this API as that of a User (RFC 1123); nothing else goes into a path. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** The CustomResourceDefinitions. */
export const USERS_CRD = `users.${GROUP}`;
export const POLICIES_CRD = `tokenpolicies.${GROUP}`;

/** The one TokenPolicy that counts. */
export const POLICY_NAME = 'cluster';

/** The Secret in every user's namespace, and the key that holds the token while its user may have one. */
export const TOKEN_SECRET = 'access-token';
export const TOKEN_KEY = 'AUTH_TOKEN';

/** The empty Secret that tokens of Kubernetes hang on: they die with it. */
export const ANCHOR_SECRET = 'access-token-binding';

/** The ServiceAccount in a user's namespace that Kubernetes gives tokens of; it has no rights of its own. */
export const TOKEN_ACCOUNT = 'access-token';

/** The ClusterRole of the chart that lets its subject read `access-token`, and the RoleBinding to it. */
export const READER_ROLE = 'latchkey-read-access-token';

/** Held on every User until its token and its namespace are gone. */
export const FINALIZER = 'latchkey.dev/offboarding';

/** Held on the TokenPolicy, so that it goes only when somebody has meant it. */
export const POLICY_FINALIZER = 'latchkey.dev/policy';

/** Namespaces that can never be a user's; the operator's own is another one. */
export const RESERVED_NAMESPACES = ['default', 'latchkey', 'latchkey-system'] as const;
export const RESERVED_PREFIXES = ['kube-', 'openshift'] as const;

/** The Lease, in the operator's namespace, that the replicas agree on. */
export const LEADER_LEASE = 'latchkey-leader';

export const FIELD_MANAGER = 'latchkey';

export const LABEL = {
  managedBy: 'app.kubernetes.io/managed-by',
  namespace: 'latchkey.dev/namespace',
  userUID: 'latchkey.dev/user-uid',
  /** On a User that was made at the first sign-in of a member of a group, with the value `true`. */
  onboarded: 'latchkey.dev/onboarded',
} as const;

export const MANAGED_BY = 'latchkey';

/** Values of the label `latchkey.dev/namespace`: who made it decides who may delete it. */
export const NAMESPACE_MADE = 'made';
export const NAMESPACE_HANDED_OVER = 'handed-over';

export const ANNOTATION = {
  user: 'latchkey.dev/user',
  expiresAt: 'latchkey.dev/expires-at',
  session: 'latchkey.dev/session',
  epoch: 'latchkey.dev/epoch',
  claims: 'latchkey.dev/claims-digest',
  reason: 'latchkey.dev/reason',
  message: 'latchkey.dev/message',
  /** On the TokenPolicy: the ids of the holds that may go on. Only who has the verb `confirm` may write it. */
  confirm: 'latchkey.dev/confirm',
} as const;
