// Takes the session out of a User, with an admin's credentials.
import type { User } from '../api/user.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { retryConflicts } from '../kubernetes/retry-conflicts.ts';
import { USERS } from '../observation/views.ts';

/** @returns whether there was one. @throws {ApiError} 404 where there is no such User */
export async function endSession(client: KubernetesClient, name: string): Promise<boolean> {
  const path = `${USERS.path}/${name}`;
  return retryConflicts(async () => {
    const user = await client.request<User>({ method: 'GET', path });
    if (!user.status?.session) return false;
    const { session: _session, browsers: _browsers, ...status } = user.status;
    await client.request({ method: 'PUT', path: `${path}/status`, body: { ...user, status } });
    return true;
  });
}
