// Who would lose something now, cause by cause, as the caches show it.
import type { Affected, Subject } from '../../domain/holds.ts';
import { hasBegun } from '../../domain/losing.ts';
import type { Caches } from '../../observation/caches.ts';
import type { CachedUser } from '../../observation/views.ts';
import { orphans } from '../orphans/find.ts';

/** Whether this User is being deleted and has lost nothing yet. */
export function isLeaving(cached: CachedUser | undefined): boolean {
  return cached?.user.metadata.deletionTimestamp !== undefined && !hasBegun(cached.user);
}

/** A User that is being deleted stays so: the API server takes no deletion back. */
export function deletingUsers(caches: Caches): Affected {
  const subjects: Subject[] = [];
  let standing = 0;
  for (const cached of caches.users.values()) {
    const { uid, user } = cached;
    if (user.metadata.deletionTimestamp === undefined) standing += 1;
    else if (isLeaving(cached)) subjects.push({ key: uid, hold: user.status?.hold, certain: true });
  }
  return { cause: 'Deleting', subjects, standing };
}

/** @param isCertain whether the API server itself has said that the User with this UID is gone. */
export function vanishedUsers(caches: Caches, isCertain: (key: string) => boolean): Affected {
  const subjects = new Map<string, Subject>();
  for (const { userUID } of orphans(caches))
    subjects.set(userUID, { key: userUID, certain: isCertain(userUID) });
  return { cause: 'Vanished', subjects: [...subjects.values()], standing: caches.users.size };
}
