// Asks the API server itself whether the CustomResourceDefinitions stand.
import { POLICIES_CRD, USERS_CRD } from '../../api/names.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { ifFound } from '../../kubernetes/if-found.ts';
import { METADATA_ONLY, type RawObject, type Resource } from '../../kubernetes/resource.ts';
import type { Store } from '../../kubernetes/store.ts';
import type { Caches } from '../../observation/caches.ts';
import { POLICY_DEFINITION, USER_DEFINITION, type CachedDefinition } from '../../observation/views.ts';
import type { Definitions } from './holds.ts';

/** @throws {ApiError} where it cannot be asked. */
export async function liveDefinitions(client: KubernetesClient, caches: Caches): Promise<Definitions> {
  const [users, policy] = await Promise.all([
    live(client, USER_DEFINITION, USERS_CRD, caches.userDefinition),
    live(client, POLICY_DEFINITION, POLICIES_CRD, caches.policyDefinition),
  ]);
  return { users, policy };
}

async function live(
  client: KubernetesClient,
  resource: Resource<CachedDefinition>,
  name: string,
  cache: Store<CachedDefinition>,
): Promise<CachedDefinition | undefined> {
  const path = `${resource.path}/${name}`;
  const answer = await ifFound(client.request<RawObject>({ method: 'GET', path, accept: METADATA_ONLY }));
  if (!answer) return undefined;
  const found = resource.view(answer);
  cache.merge(found);
  return found;
}
