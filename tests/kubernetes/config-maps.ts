// ConfigMaps of one namespace, as objects that tests make, change and watch on a real API server.
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { Resource } from '../../src/kubernetes/resource.ts';
import type { Stored } from '../../src/kubernetes/store.ts';

export interface ConfigMap extends Stored {
  readonly value: string | undefined;
}

export interface ConfigMaps {
  readonly resource: Resource<ConfigMap>;
  /** Makes it, or gives it another value. @returns its new resourceVersion */
  put(name: string, value: string): Promise<string>;
  remove(name: string): Promise<void>;
}

/** Makes the namespace, in which nothing else is going on: the controller manager's own ConfigMap has another label. */
export async function configMaps(client: KubernetesClient, namespace: string): Promise<ConfigMaps> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const labels = { tests: 'latchkey' };
  await client.request({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: namespace } },
  });
  return {
    resource: {
      name: 'configmaps',
      path,
      labelSelector: 'tests=latchkey',
      view: ({ metadata: { name, uid, resourceVersion }, ...rest }) => ({
        name,
        namespace,
        uid,
        resourceVersion,
        value: (rest['data'] as { value?: string } | undefined)?.value,
      }),
    },
    async put(name, value) {
      const { metadata } = await client.request<{ metadata: { resourceVersion: string } }>({
        method: 'PATCH',
        path: `${path}/${name}`,
        query: { fieldManager: 'tests', force: true },
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { value } },
      });
      return metadata.resourceVersion;
    },
    async remove(name) {
      await client.request({ method: 'DELETE', path: `${path}/${name}` });
    },
  };
}
