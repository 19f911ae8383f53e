// What is kept in memory of each watched object: as little as the decisions need, and never a token.
import {
  ANCHOR_SECRET,
  ANNOTATION,
  FINALIZER,
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
import { USER_GONE, type DefinitionView } from '../domain/orphans.ts';
import type { Witness } from '../domain/witness.ts';
import type { RawObject, Resource } from '../kubernetes/resource.ts';
import type { Stored } from '../kubernetes/store.ts';
import { shareTexts, textPool } from './share-texts.ts';

export interface CachedUser extends Stored {
  readonly user: User;
  /** What has been watched of it without a gap, as the store of Users notes it. */
  seen?: Witness | undefined;
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
  /** As forgeable: that its User is gone, and was counted among those that were lost. */
  readonly saysUserGone?: boolean;
  /** The name of the User that it was made for. */
  readonly userName: string | undefined;
}

export interface CachedAnchor extends Stored, AnchorView {
  /** The name of the User that it was made for. */
  readonly userName: string | undefined;
}

export interface CachedBinding extends Stored, ReaderBindingView {}

/**
 * The names, UIDs and sessions of Users, which stand in all that is made for them: a User has three, so that these are
 * enough for as many as one cluster has, and never more than 25 MB.
 */
const identity = textPool(2 ** 18);
/** Groups, and what conditions say. */
const phrase = textPool(2 ** 12);

function ownerOf({ labels, annotations }: ObjectMeta) {
  const [uid, name, session] = [
    labels?.[LABEL.userUID],
    annotations?.[ANNOTATION.user],
    annotations?.[ANNOTATION.session],
  ];
  return {
    userUID: uid === undefined ? undefined : identity(uid),
    userName: name === undefined ? undefined : identity(name),
    session: session === undefined ? undefined : identity(session),
  };
}

/** managedFields are most of an object's size, and of no use here. What all have is named: so it lies side by side. */
function lean(object: RawObject): RawObject {
  const {
    managedFields: _,
    name,
    uid,
    resourceVersion,
    creationTimestamp,
    finalizers,
    ...others
  } = object.metadata as ObjectMeta & { managedFields?: unknown };
  return {
    ...object,
    metadata: {
      name: identity(name),
      uid: identity(uid),
      resourceVersion,
      creationTimestamp,
      finalizers: finalizers?.length === 1 && finalizers[0] === FINALIZER ? ONLY_OURS : finalizers,
      ...others,
    },
  };
}

const ONLY_OURS = [FINALIZER];

export const USERS: Resource<CachedUser> = {
  name: 'users',
  path: '/apis/latchkey.dev/v1alpha1/users',
  view(object) {
    const user = lean(object) as unknown as User;
    shareTexts(user, phrase);
    shareTexts(user.status?.session, identity);
    const { name, uid, resourceVersion } = user.metadata;
    return { name, uid, resourceVersion, user, seen: undefined };
  },
};

export const POLICIES: Resource<CachedPolicy> = {
  name: 'tokenpolicies',
  path: '/apis/latchkey.dev/v1alpha1/tokenpolicies',
  fieldSelector: `metadata.name=${POLICY_NAME}`,
  view(object) {
    const policy = lean(object) as unknown as TokenPolicy;
    const { name, uid, resourceVersion } = policy.metadata;
    return { name, uid, resourceVersion, policy };
  },
};

export const NAMESPACES: Resource<CachedNamespace> = {
  name: 'namespaces',
  path: '/api/v1/namespaces',
  metadataOnly: true,
  view(object) {
    const { name, uid, resourceVersion, labels, creationTimestamp, deletionTimestamp } = object.metadata;
    const { userUID, userName } = ownerOf(object.metadata);
    const kind = labels?.[LABEL.namespace];
    return {
      name: identity(name),
      uid,
      resourceVersion,
      kind: kind === NAMESPACE_MADE || kind === NAMESPACE_HANDED_OVER ? kind : 'foreign',
      userUID,
      userName,
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
  view: ({ metadata: { uid, resourceVersion, creationTimestamp, deletionTimestamp } }) => ({
    name,
    uid,
    resourceVersion,
    createdAt: creationTimestamp,
    deletedAt: deletionTimestamp,
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
    const {
      namespace = '',
      uid,
      resourceVersion,
      annotations,
      finalizers,
      deletionTimestamp,
    } = object.metadata;
    const { userUID, userName, session } = ownerOf(object.metadata);
    const expiry = Date.parse(annotations?.[ANNOTATION.expiresAt] ?? '');
    return {
      name: TOKEN_SECRET,
      namespace: identity(namespace),
      uid,
      resourceVersion,
      userUID,
      finalizers: (finalizers?.length ?? 0) > 0,
      deleting: deletionTimestamp !== undefined,
      claimedExpiry: Number.isNaN(expiry) ? undefined : expiry,
      claimedSession: session,
      claimedDigest: annotations?.[ANNOTATION.claims],
      saysUserGone: annotations?.[ANNOTATION.reason] === USER_GONE.reason,
      userName,
    };
  },
};

export const ANCHORS: Resource<CachedAnchor> = {
  name: 'token-bindings',
  path: '/api/v1/secrets',
  fieldSelector: `metadata.name=${ANCHOR_SECRET}`,
  metadataOnly: true,
  view(object) {
    const { namespace = '', uid, resourceVersion, finalizers, deletionTimestamp } = object.metadata;
    const { userUID, userName, session } = ownerOf(object.metadata);
    const epoch = object.metadata.annotations?.[ANNOTATION.epoch];
    return {
      name: ANCHOR_SECRET,
      namespace: identity(namespace),
      uid,
      resourceVersion,
      userUID,
      session,
      epoch: epoch === undefined ? undefined : phrase(epoch),
      userName,
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
    const { roleRef, subjects = [], metadata } = object as RawBinding;
    const { namespace = '', uid, resourceVersion, deletionTimestamp } = metadata;
    const [subject] = subjects;
    return {
      name: READER_ROLE,
      namespace: identity(namespace),
      uid,
      resourceVersion,
      userUID: ownerOf(metadata).userUID,
      toReaderRole: roleRef?.kind === 'ClusterRole' && roleRef.name === READER_ROLE,
      subject: subjects.length === 1 && subject?.kind === 'User' ? subject.name : undefined,
      deleting: deletionTimestamp !== undefined,
    };
  },
};
