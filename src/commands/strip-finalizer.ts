// Takes Latchkey's finalizer off a User, with an admin's credentials: it then goes without being offboarded.
import { API_VERSION, FINALIZER } from '../api/names.ts';
import type { User } from '../api/user.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { retryConflicts } from '../kubernetes/retry-conflicts.ts';
import { USERS } from '../observation/views.ts';

/** @returns whether it was there; the finalizers of others stay */
export async function stripFinalizer(client: KubernetesClient, name: string): Promise<boolean> {
  const path = `${USERS.path}/${name}`;
  return retryConflicts(async () => {
    try {
      const user = await client.request<User>({ method: 'GET', path });
      const { finalizers = [] } = user.metadata;
      if (!finalizers.includes(FINALIZER)) return false;
      const metadata = { ...user.metadata, finalizers: finalizers.filter((other) => other !== FINALIZER) };
      const body = { ...user, apiVersion: API_VERSION, kind: 'User', metadata };
      await client.request({ method: 'PUT', path, body });
      return true;
    } catch (error) {
      if (hasStatus(error, 404)) return false;
      throw error;
    }
  });
}
