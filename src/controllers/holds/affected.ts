// Who would lose something now, cause by cause, as the caches show it.
import type { Affected, Subject } from '../../domain/holds.ts';
import { POLICY_NAME } from '../../api/names.ts';
import type { Hold, TokenPolicy } from '../../api/token-policy.ts';
import type { User } from '../../api/user.ts';
import { decideDirectory } from '../../domain/directory.ts';
import { effectiveUsername, foldUsername } from '../../domain/effective.ts';
import { hasBegun, losesSession } from '../../domain/losing.ts';
import { isGoing, wentWithDefinition, type DefinitionView } from '../../domain/orphans.ts';
import type { Caches } from '../../observation/caches.ts';
import type { Surroundings } from '../../observation/observe.ts';
import type { CachedUser } from '../../observation/views.ts';
import { policyStands, policyWentWithDefinition } from '../../domain/policy-stands.ts';
import { orphans } from '../orphans/find.ts';

/** Whether this User is being deleted and has lost nothing yet. */
export function isLeaving(cached: CachedUser | undefined): boolean {
  return cached?.user.metadata.deletionTimestamp !== undefined && !hasBegun(cached.user);
}

/**
 * A User that is being deleted stays so: the API server takes no deletion back. While the CustomResourceDefinition goes,
 * nobody has named this User.
 */
export function deletingUsers(caches: Caches, definition: DefinitionView | undefined): Affected[] {
  const subjects: Subject[] = [];
  let standing = 0;
  for (const cached of caches.users.values()) {
    const { uid, user } = cached;
    if (user.metadata.deletionTimestamp === undefined) standing += 1;
    else if (isLeaving(cached)) subjects.push({ key: uid, hold: user.status?.hold, certain: true });
  }
  const [all, none] = [subjects, []];
  const going = isGoing(definition);
  return [
    { cause: 'CRDDeleting', subjects: going ? all : none, standing },
    { cause: 'Deleting', subjects: going ? none : all, standing },
  ];
}

/**
 * The TokenPolicy, while it is being deleted and counts: with it goes every token. Whoever deletes it by its name means
 * that, so nobody is counted then.
 */
export function deletingPolicy(
  caches: Caches,
  definition: DefinitionView | undefined,
  holds: readonly Hold[],
): Affected {
  const subjects: Subject[] = [];
  const policy = caches.policies.get(POLICY_NAME)?.policy;
  if (policy?.metadata.deletionTimestamp !== undefined && policyStands(policy)) {
    const unmeant = policyWentWithDefinition(policy, definition);
    subjects.push({
      key: policy.metadata.uid,
      hold: holds.find(({ cause }) => cause === 'PolicyCRDDeleting')?.id,
      certain: true,
      unmeant,
      users: unmeant ? caches.users.size : 0,
    });
  }
  return { cause: 'PolicyCRDDeleting', subjects, standing: 0 };
}

/** Whether the word of the directory ends the session of this User now, and has not ended it yet. */
export function isLosing(
  user: User,
  policy: TokenPolicy | undefined,
  directory: Surroundings['directory'],
  now: Date,
): boolean {
  if (!user.status?.session) return false;
  const view = directory(foldUsername(effectiveUsername(user)));
  return losesSession(user, policy, decideDirectory(user, policy, view, now).status, view) !== undefined;
}

/** Users whose session the word of the directory ends now, and has not ended yet. */
export function inactiveUsers(caches: Caches, directory: Surroundings['directory'], now: Date): Affected {
  const policy = caches.policies.get(POLICY_NAME)?.policy;
  const subjects: Subject[] = [];
  for (const { uid, user } of caches.users.values()) {
    if (isLosing(user, policy, directory, now))
      subjects.push({ key: uid, hold: user.status?.hold, certain: true });
  }
  return { cause: 'Inactive', subjects, standing: caches.users.size - subjects.length };
}

/** @param isCertain whether the API server itself has said that the User with this UID is gone. */
export function vanishedUsers(
  caches: Caches,
  definition: DefinitionView | undefined,
  isCertain: (key: string) => boolean,
): Affected {
  const subjects = new Map<string, Subject>();
  for (const { userUID, namespace } of orphans(caches)) {
    const unmeant = wentWithDefinition(namespace, definition);
    const secret = caches.secrets.get(namespace.name);
    // It waits only for its namespace to be collected, whoever led when it was let go.
    const given = secret?.saysUserGone === true;
    subjects.set(userUID, { key: userUID, certain: isCertain(userUID), unmeant, given });
  }
  return { cause: 'Vanished', subjects: [...subjects.values()], standing: caches.users.size };
}
