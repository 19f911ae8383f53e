// Puts the CRDs into the test cluster, and asks its API server what it says to an object.
import { fileURLToPath } from 'node:url';
import { API_VERSION } from '../../src/api/names.ts';
import { ApiError } from '../../src/kubernetes/api-error.ts';
import { type ApiRequest, kubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { type TestCluster, testCluster } from '../support/cluster.ts';

const CRDS = fileURLToPath(new URL('../../crds/', import.meta.url));
const PLURAL = { User: 'users', TokenPolicy: 'tokenpolicies' };

export interface Manifest {
  readonly kind: keyof typeof PLURAL;
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface Admission {
  readonly cluster: TestCluster;
  /** The object as the API server would store it, or why it refuses it; nothing is stored. */
  dryRun(manifest: Manifest): Promise<{ readonly spec: unknown; readonly status?: unknown } | string>;
  /** The same for a request of any other kind; say `dryRun: 'All'` in its query, or it happens. */
  ask(request: ApiRequest): Promise<object | string>;
  close(): Promise<void>;
}

export const pathOf = (kind: Manifest['kind'], name = '') =>
  `/apis/${API_VERSION}/${PLURAL[kind]}${name && `/${name}`}`;

export async function admission(): Promise<Admission> {
  const cluster = await testCluster();
  await cluster.kubectl(['apply', '--server-side', '-f', CRDS]);
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', CRDS]);
  const client = kubernetesClient(await loadConnection(cluster.adminKubeconfig));

  const answer = async <T>(request: ApiRequest): Promise<T | string> => {
    try {
      return await client.request<T>(request);
    } catch (error) {
      if (error instanceof ApiError) return error.message;
      throw error;
    }
  };
  return {
    cluster,
    dryRun: (manifest) =>
      answer({
        method: 'POST',
        path: pathOf(manifest.kind),
        query: { dryRun: 'All', fieldValidation: 'Strict' },
        body: { apiVersion: API_VERSION, ...manifest },
      }),
    ask: answer,
    close: () => client.close(),
  };
}
