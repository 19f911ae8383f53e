// Writes the status of a User as a whole, under the version that it was decided on.
import { API_VERSION } from '../api/names.ts';
import type { User, UserStatus } from '../api/user.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { RawObject } from '../kubernetes/resource.ts';
import type { Caches } from './caches.ts';
import { USERS } from './views.ts';

/**
 * A PUT that carries the resourceVersion of `user`, so that it cannot undo what somebody else has written since.
 * @throws {ApiError} 409 where somebody has.
 */
export async function writeUserStatus(
  client: KubernetesClient,
  caches: Caches,
  user: User,
  status: UserStatus,
): Promise<void> {
  const answer = await client.request<RawObject>({
    method: 'PUT',
    path: `${USERS.path}/${user.metadata.name}/status`,
    body: { ...user, apiVersion: API_VERSION, kind: 'User', status },
  });
  caches.users.merge(USERS.view(answer));
}
