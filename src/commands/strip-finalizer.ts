// Takes Latchkey's finalizer off a User or the TokenPolicy, with an admin's credentials: it then goes without a question.
import { API_VERSION, FINALIZER, POLICY_FINALIZER, POLICY_NAME } from '../api/names.ts';
import type { KubernetesObject } from '../api/metadata.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { retryConflicts } from '../kubernetes/retry-conflicts.ts';
import { POLICIES, USERS } from '../observation/views.ts';

/** It goes without being offboarded. @returns whether it was there; the finalizers of others stay */
export async function stripUser(client: KubernetesClient, name: string): Promise<boolean> {
  return strip(client, { kind: 'User', path: `${USERS.path}/${name}`, finalizer: FINALIZER });
}

/** @returns whether it was there; the finalizers of others stay */
export async function stripPolicy(client: KubernetesClient): Promise<boolean> {
  const path = `${POLICIES.path}/${POLICY_NAME}`;
  return strip(client, { kind: 'TokenPolicy', path, finalizer: POLICY_FINALIZER });
}

async function strip(
  client: KubernetesClient,
  { kind, path, finalizer }: { readonly kind: string; readonly path: string; readonly finalizer: string },
): Promise<boolean> {
  return retryConflicts(async () => {
    try {
      const object = await client.request<KubernetesObject>({ method: 'GET', path });
      const { finalizers = [] } = object.metadata;
      if (!finalizers.includes(finalizer)) return false;
      const metadata = { ...object.metadata, finalizers: finalizers.filter((other) => other !== finalizer) };
      await client.request({
        method: 'PUT',
        path,
        body: { ...object, apiVersion: API_VERSION, kind, metadata },
      });
      return true;
    } catch (error) {
      if (hasStatus(error, 404)) return false;
      throw error;
    }
  });
}
