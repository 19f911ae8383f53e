// Asks the API server itself whether the CustomResourceDefinition of Users stands.
import { USERS_CRD } from '../../api/names.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import type { RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { USER_DEFINITION, type CachedDefinition } from '../../observation/views.ts';

/** @returns undefined where there is none. @throws {ApiError} where it cannot be asked. */
export async function liveDefinition(
  client: KubernetesClient,
  caches: Caches,
): Promise<CachedDefinition | undefined> {
  try {
    const found = USER_DEFINITION.view(
      await client.request<RawObject>({
        method: 'GET',
        path: `${USER_DEFINITION.path}/${USERS_CRD}`,
        accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      }),
    );
    caches.userDefinition.merge(found);
    return found;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}
