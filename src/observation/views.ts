// What is kept in memory of each watched object: as little as the decisions need, and never a token.
import {
  ANCHOR_SECRET,
  ANNOTATION,
  LABEL,
  NAMESPACE_HANDED_OVER,
  NAMESPACE_MADE,
  POLICIES_CRD,
  POLICY_NAME,
  READER_ROLE,
  TOKEN_SECRET,
  USERS_CRD,
} from '../api/names.ts';
import type { ObjectMeta } from '../api/metadata.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { User } from '../api/user.ts';
import type { AnchorView, NamespaceView, ReaderBindingView, SecretView } from '../domain/observed.ts';
import type { DefinitionView } from '../domain/orphans.ts';
import type { RawObject, Resource } from '../kubernetes/resource.ts';
import type { Stored } from '../kubernetes/store.ts';
import { textSharing } from './share-texts.ts';

export interface CachedUser extends Stored {
  readonly user: User;
}

export interface CachedPolicy extends Stored {
  readonly policy: TokenPolicy;
}

export interface CachedNamespace extends Stored, NamespaceView {
  /** The name of the User that it was made for. */
  readonly userName: string | undefined;
  /** metadata.creationTimestamp */
  readonly createdAt: string;
}

export interface CachedDefinition extends Stored, DefinitionView {}

export interface CachedSecret extends Stored, Omit<SecretView, 'written' | 'claimed'> {
  /** When its token expires, as an annotation says that anyone may have forged: good for sorting, nothing else. */
  readonly claimedExpiry: number | undefined;
  /** As forgeable: the session and the digest of the claims of its token. */
  readonly claimedSession?: string | undefined;
  readonly claimedDigest?: string | undefined;
  /** The name of the User that it was made for. */
  readonly userName: string | undefined;
}

export interface CachedAnchor extends Stored, AnchorView {
  /** The name of the User that it was made for. */
  readonly userName: string | undefined;
}

export interface CachedBinding extends Stored, ReaderBindingView {}

function identity({
  metadata: { name, namespace, uid, resourceVersion },
}: Pick<RawObject, 'metadata'>): Stored {
  return { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion };
}

/** managedFields are most of an object's size, and of no use here. */
function lean(object: RawObject): RawObject {
  const { managedFields: _, ...metadata } = object.metadata as ObjectMeta & { managedFields?: unknown };
  return { ...object, metadata };
}

const share = textSharing();

export const USERS: Resource<CachedUser> = {
  name: 'users',
  path: '/apis/latchkey.dev/v1alpha1/users',
  view(object) {
    const user = share(lean(object)) as unknown as User;
    return { ...identity(user), user };
  },
};

export const POLICIES: Resource<CachedPolicy> = {
  name: 'tokenpolicies',
  path: '/apis/latchkey.dev/v1alpha1/tokenpolicies',
  fieldSelector: `metadata.name=${POLICY_NAME}`,
  view: (object) => ({ ...identity(object), policy: lean(object) as unknown as TokenPolicy }),
};

export const NAMESPACES: Resource<CachedNamespace> = {
  name: 'namespaces',
  path: '/api/v1/namespaces',
  metadataOnly: true,
  view(object) {
    const { labels, annotations, creationTimestamp, deletionTimestamp } = object.metadata;
    const kind = labels?.[LABEL.namespace];
    return {
      ...identity(object),
      kind: kind === NAMESPACE_MADE || kind === NAMESPACE_HANDED_OVER ? kind : 'foreign',
      userUID: labels?.[LABEL.userUID],
      userName: annotations?.[ANNOTATION.user],
      createdAt: creationTimestamp,
      deleting: deletionTimestamp !== undefined,
    };
  },
};

/** What one CustomResourceDefinition is about does not matter; that it is there does. */
const definition = (name: string): Resource<CachedDefinition> => ({
  name: 'customresourcedefinitions',
  path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  fieldSelector: `metadata.name=${name}`,
  metadataOnly: true,
  view: (object) => ({
    ...identity(object),
    createdAt: object.metadata.creationTimestamp,
    deletedAt: object.metadata.deletionTimestamp,
  }),
});
export const USER_DEFINITION = definition(USERS_CRD);
export const POLICY_DEFINITION = definition(POLICIES_CRD);

export const SECRETS: Resource<CachedSecret> = {
  name: 'secrets',
  path: '/api/v1/secrets',
  fieldSelector: `metadata.name=${TOKEN_SECRET}`,
  metadataOnly: true,
  view(object) {
    const { labels, annotations, finalizers, deletionTimestamp } = object.metadata;
    const expiry = Date.parse(annotations?.[ANNOTATION.expiresAt] ?? '');
    return {
      ...identity(object),
      userUID: labels?.[LABEL.userUID],
      finalizers: (finalizers?.length ?? 0) > 0,
      deleting: deletionTimestamp !== undefined,
      claimedExpiry: Number.isNaN(expiry) ? undefined : expiry,
      claimedSession: annotations?.[ANNOTATION.session],
      claimedDigest: annotations?.[ANNOTATION.claims],
      userName: annotations?.[ANNOTATION.user],
    };
  },
};

export const ANCHORS: Resource<CachedAnchor> = {
  name: 'token-bindings',
  path: '/api/v1/secrets',
  fieldSelector: `metadata.name=${ANCHOR_SECRET}`,
  metadataOnly: true,
  view(object) {
    const { labels, annotations, finalizers, deletionTimestamp } = object.metadata;
    return {
      ...identity(object),
      userUID: labels?.[LABEL.userUID],
      session: annotations?.[ANNOTATION.session],
      userName: annotations?.[ANNOTATION.user],
      finalizers: (finalizers?.length ?? 0) > 0,
      deleting: deletionTimestamp !== undefined,
    };
  },
};

interface RawBinding extends RawObject {
  readonly roleRef?: { readonly kind?: string; readonly name?: string };
  readonly subjects?: readonly { readonly kind?: string; readonly name?: string }[];
}

export const BINDINGS: Resource<CachedBinding> = {
  name: 'rolebindings',
  path: '/apis/rbac.authorization.k8s.io/v1/rolebindings',
  fieldSelector: `metadata.name=${READER_ROLE}`,
  view(object) {
    const { roleRef, subjects = [] } = object as RawBinding;
    const [subject] = subjects;
    return {
      ...identity(object),
      userUID: object.metadata.labels?.[LABEL.userUID],
      toReaderRole: roleRef?.kind === 'ClusterRole' && roleRef.name === READER_ROLE,
      subject: subjects.length === 1 && subject?.kind === 'User' ? subject.name : undefined,
      deleting: object.metadata.deletionTimestamp !== undefined,
    };
  },
};
