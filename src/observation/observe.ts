// Gathers what the stores know about one User into the picture that a decision is made on.
import { POLICY_NAME } from '../api/names.ts';
import type { HoldCause } from '../api/token-policy.ts';
import type { User } from '../api/user.ts';
import { holder, isOlderForAccount, type isOlder } from '../domain/claimants.ts';
import { effectiveNamespace, effectiveUsername, foldUsername } from '../domain/effective.ts';
import type { Permission } from '../domain/holds.ts';
import { DELETIONS, losing } from '../domain/losing.ts';
import type { DirectoryView } from '../domain/finding.ts';
import { claimedAccount } from '../domain/onboarding.ts';
import type {
  CannotMint,
  DecisionSettings,
  Observed,
  SecretView,
  WrittenSecret,
} from '../domain/observed.ts';
import type { Caches } from './caches.ts';
import type { LicenseReading } from '../domain/license.ts';
import type { CachedSecret, CachedUser } from './views.ts';

export interface Surroundings {
  readonly caches: Caches;
  readonly settings: DecisionSettings;
  license(): LicenseReading;
  cannotMint(): CannotMint | undefined;
  publishedKeys(): ReadonlySet<string> | undefined;
  /** What this process wrote as the version of the Secret that is given; undefined for anybody else's. */
  written(secret: CachedSecret): WrittenSecret | undefined;
  /** What its annotations say of the token in a version of the Secret that is not known, as far as that is believed. */
  claimed(secret: CachedSecret): SecretView['claimed'];
  /** What this process has decided of the loss that a cause would bring to a User, named by its UID. */
  permission(cause: HoldCause, userUID: string): Permission | undefined;
  /** What the watch of the directory knows of a folded username; undefined where this process does not watch it. */
  directory(username: string): DirectoryView | undefined;
}

/** @param user the User as the cache, or a live GET, has it. */
export function observe(
  user: User,
  {
    caches,
    settings,
    license,
    cannotMint,
    publishedKeys,
    written,
    claimed,
    permission,
    directory,
  }: Surroundings,
): Observed {
  const username = foldUsername(effectiveUsername(user));
  const namespaceName = effectiveNamespace(user);
  const namespace = caches.namespaces.get(namespaceName);
  const account = claimedAccount(user);
  const secret = caches.secrets.get(namespaceName);
  return {
    user,
    seen: caches.userWitness(user),
    policy: caches.policies.get(POLICY_NAME)?.policy,
    usernameHolder: holderAmong(user, caches.byUsername.get(username)),
    namespaceHolder: holderAmong(user, caches.byNamespace.get(namespaceName)),
    accountHolder:
      account === undefined ? user : holderAmong(user, caches.byAccount.get(account), isOlderForAccount),
    namespace,
    namespaceOwnerLives: namespace?.userUID !== undefined && caches.byUID.get(namespace.userUID).length > 0,
    secret: secret && { ...secret, written: written(secret), claimed: claimed(secret) },
    anchor: caches.anchors.get(namespaceName),
    binding: caches.bindings.get(namespaceName),
    license: license(),
    aheadForSeat: caches.seating.ahead(user),
    directory: directory(username),
    publishedKeys: publishedKeys(),
    mayEndSession: permission('Inactive', user.metadata.uid),
    losing: losing(
      user,
      DELETIONS.map((cause) => permission(cause, user.metadata.uid)).find((each) => each !== undefined),
    ),
    cannotMint: cannotMint(),
    settings,
  };
}

function holderAmong(user: User, claimants: readonly CachedUser[], comesBefore?: typeof isOlder): User {
  const others = claimants
    .map((cached) => cached.user)
    .filter(({ metadata }) => metadata.uid !== user.metadata.uid);
  return others.length === 0 ? user : (holder([user, ...others], comesBefore) ?? user);
}
