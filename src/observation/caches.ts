// The stores of a replica, the indexes over them, and the watches that fill them.
import { effectiveNamespace, effectiveUsername, foldUsername } from '../domain/effective.ts';
import type { User } from '../api/user.ts';
import { claimedAccount } from '../domain/onboarding.ts';
import { witness, type Witness } from '../domain/witness.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { freshness, type Freshness } from '../kubernetes/freshness.ts';
import { reflect, type Reflector, type ReflectorOptions } from '../kubernetes/reflector.ts';
import { namespaceOf, Store } from '../kubernetes/store.ts';
import { indexOf, type Index } from './index-of.ts';
import { seating, type Seating } from './seats.ts';
import {
  ANCHORS,
  BINDINGS,
  NAMESPACES,
  POLICIES,
  POLICY_DEFINITION,
  SECRETS,
  USERS,
  USER_DEFINITION,
  type CachedAnchor,
  type CachedBinding,
  type CachedDefinition,
  type CachedNamespace,
  type CachedPolicy,
  type CachedSecret,
  type CachedUser,
} from './views.ts';

/** The stores, and what is derived from them; no I/O. */
export interface Stores {
  readonly users: Store<CachedUser>;
  readonly policies: Store<CachedPolicy>;
  readonly namespaces: Store<CachedNamespace>;
  /** There is one in a namespace, of these, of anchors and of bindings: their keys are the namespaces. */
  readonly secrets: Store<CachedSecret>;
  readonly anchors: Store<CachedAnchor>;
  readonly bindings: Store<CachedBinding>;
  /** The CustomResourceDefinition of Users, and that of the TokenPolicy. */
  readonly userDefinition: Store<CachedDefinition>;
  readonly policyDefinition: Store<CachedDefinition>;
  readonly byUID: Index<CachedUser>;
  readonly byUsername: Index<CachedUser>;
  readonly byNamespace: Index<CachedUser>;
  /** By the id of the account that they claim for themselves. */
  readonly byAccount: Index<CachedUser>;
  readonly seating: Seating;
  /** What has been watched of a User without a gap. */
  userWitness(user: User): Witness | undefined;
  policyWitness(): Witness | undefined;
}

export interface Caches extends Stores {
  readonly userFreshness: Freshness;
  readonly policyFreshness: Freshness;
  /** Resolves when every store has its first list. */
  readonly synced: Promise<void>;
  /** Resolves after the signal has aborted and every watch has ended. */
  readonly done: Promise<void>;
}

export function createStores(): Stores {
  const users = new Store<CachedUser>();
  const policies = new Store<CachedPolicy>();

  users.onChange((before, after) => {
    if (!after) return;
    const { metadata, spec } = after.user;
    const previous = before?.uid === after.uid ? before.seen : undefined;
    after.seen = witness(previous, metadata.generation ?? 0, !spec.disabled);
  });
  let policyWitness: { uid: string; seen: Witness } | undefined;
  policies.onChange((_, after) => {
    if (!after) {
      policyWitness = undefined;
      return;
    }
    const { metadata, spec } = after.policy;
    const previous = policyWitness?.uid === after.uid ? policyWitness.seen : undefined;
    policyWitness = { uid: after.uid, seen: witness(previous, metadata.generation ?? 0, spec.enabled) };
  });

  return {
    users,
    policies,
    namespaces: new Store<CachedNamespace>(),
    secrets: new Store<CachedSecret>(namespaceOf),
    anchors: new Store<CachedAnchor>(namespaceOf),
    bindings: new Store<CachedBinding>(namespaceOf),
    userDefinition: new Store<CachedDefinition>(),
    policyDefinition: new Store<CachedDefinition>(),
    byUID: indexOf(users, ({ uid }) => uid),
    byUsername: indexOf(users, ({ user }) => foldUsername(effectiveUsername(user))),
    byNamespace: indexOf(users, ({ user }) => effectiveNamespace(user)),
    byAccount: indexOf(users, ({ user }) => claimedAccount(user)),
    seating: seating(users),
    userWitness({ metadata: { name, uid } }) {
      const cached = users.get(name);
      return cached?.uid === uid ? cached.seen : undefined;
    },
    policyWitness: () => policyWitness?.seen,
  };
}

/**
 * Makes the stores and starts their watches in the next turn of the event loop, so that whoever listens to a store from
 * its making on misses nothing.
 */
export function startCaches(client: KubernetesClient, options: ReflectorOptions): Caches {
  const stores = createStores();
  const { users, policies, namespaces, secrets, anchors, bindings } = stores;
  /** Where a CustomResourceDefinition was away, its objects are asked for ever more seldom; its return ends that. */
  const withDefinition = (reflector: Reflector, definition: Store<CachedDefinition>): Reflector => {
    definition.onChange((_, after) => after && reflector.hurry());
    return reflector;
  };
  const start = (): Reflector[] => [
    withDefinition(reflect(client, USERS, users, options), stores.userDefinition),
    withDefinition(reflect(client, POLICIES, policies, options), stores.policyDefinition),
    reflect(client, NAMESPACES, namespaces, options),
    reflect(client, SECRETS, secrets, options),
    reflect(client, ANCHORS, anchors, options),
    reflect(client, BINDINGS, bindings, options),
    reflect(client, USER_DEFINITION, stores.userDefinition, options),
    reflect(client, POLICY_DEFINITION, stores.policyDefinition, options),
  ];
  const reflectors = Promise.resolve().then(start);
  const all = (part: (reflector: Reflector) => Promise<void>) =>
    reflectors.then((list) => Promise.all(list.map(part))).then(() => undefined);
  return {
    ...stores,
    userFreshness: freshness(client, USERS, users, options),
    policyFreshness: freshness(client, POLICIES, policies, options),
    synced: all(({ synced }) => synced),
    done: all(({ done }) => done),
  };
}
