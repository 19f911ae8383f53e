// Asks the cluster behind a kubeconfig which Kubernetes it runs.
import { kubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';

/**
 * @returns for instance `v1.37.2`
 * @throws ApiUnreachableError, ApiError or CredentialsError where it does not answer within 10 s, or refuses
 */
export async function serverVersion(kubeconfig: string): Promise<string> {
  const client = kubernetesClient(await loadConnection(kubeconfig));
  try {
    const { gitVersion } = await client.request<{ gitVersion: string }>({ method: 'GET', path: '/version' });
    return gitVersion;
  } finally {
    await client.close();
  }
}
