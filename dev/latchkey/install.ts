// Puts into a cluster what the operator needs there, and makes a kubeconfig of its ServiceAccount: it runs with its own rights.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { runHelm } from '../helm/helm.ts';
import { waitUntil } from '../wait-until.ts';

export const OPERATOR_NAMESPACE = 'latchkey';
const SERVICE_ACCOUNT = 'latchkey';
const ESTABLISHED_TIMEOUT_MS = 60_000;
const A_DAY_SECONDS = 24 * 3_600;

export interface Cluster {
  readonly url: string;
  readonly caFile: string;
  readonly adminKubeconfig: string;
  readonly binaries: { readonly kubectl: string };
}

export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

export function adminKubectl({ binaries, adminKubeconfig }: Cluster): Kubectl {
  return (args, input) =>
    runKubectl({
      kubectl: binaries.kubectl,
      kubeconfig: adminKubeconfig,
      args,
      ...(input !== undefined && { input }),
    });
}

export const CHART = fileURLToPath(new URL('../../charts/latchkey', import.meta.url));
export const RELEASE = 'latchkey';

/** The least that the chart asks for. No kubelet runs here, so no image is pulled. */
export const VALUES = {
  settings: { externalUrl: 'https://latchkey.example.org' },
  image: { repository: 'registry.example.org/latchkey' },
};

/** Runs Helm as an admin of the cluster, with the namespace of the operator. */
export function adminHelm({ adminKubeconfig }: Pick<Cluster, 'adminKubeconfig'>): Kubectl {
  return (args, input) =>
    runHelm({
      args: ['--kubeconfig', adminKubeconfig, '--namespace', OPERATOR_NAMESPACE, ...args],
      ...(input !== undefined && { input }),
    });
}

/**
 * Installs the chart as an admin would, or upgrades it; safe to run again. The control plane has no kubelet, so no Pod
 * runs: `startOperator` starts the operator as a process, with the rights of the chart's ServiceAccount.
 * @param values more values of the chart
 */
export async function install(cluster: Cluster, values: object = {}): Promise<void> {
  // Suites that share a cluster have put the CRDs there without Helm.
  const flags = ['--create-namespace', '--take-ownership', '--force-conflicts', '--values', '-'];
  await adminHelm(cluster)(
    ['upgrade', '--install', RELEASE, CHART, ...flags],
    JSON.stringify({ ...VALUES, ...values }),
  );
  await asAdmin(cluster, (client) =>
    waitUntil('the CustomResourceDefinitions to be established', ESTABLISHED_TIMEOUT_MS, async (see) => {
      const { items } = await client.request<{ readonly items: readonly Definition[] }>({
        method: 'GET',
        path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
        query: { labelSelector: `app.kubernetes.io/instance=${RELEASE}` },
      });
      see(items);
      return items.length > 0 && items.every(isEstablished);
    }),
  );
}

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function isEstablished({ status }: Definition): boolean {
  return status?.conditions?.some((each) => each.type === 'Established' && each.status === 'True') ?? false;
}

/** Without kubectl: a start of it takes a tenth of a second of a processor, and suites start hundreds of operators. */
async function asAdmin<T>(
  { adminKubeconfig }: Pick<Cluster, 'adminKubeconfig'>,
  use: (client: KubernetesClient) => Promise<T>,
): Promise<T> {
  const client = kubernetesClient(await loadConnection(adminKubeconfig));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Writes a kubeconfig with a token of a ServiceAccount beside the operator, by default the operator's own, good for a day. */
export async function operatorKubeconfig(
  cluster: Cluster,
  file: string,
  serviceAccount = SERVICE_ACCOUNT,
): Promise<void> {
  const { status } = await asAdmin(cluster, (client) =>
    client.request<{ readonly status: { readonly token: string } }>({
      method: 'POST',
      path: `/api/v1/namespaces/${OPERATOR_NAMESPACE}/serviceaccounts/${serviceAccount}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: A_DAY_SECONDS },
      },
    }),
  );
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'latchkey',
    contexts: [{ name: 'latchkey', context: { cluster: 'latchkey', user: 'operator' } }],
    clusters: [
      { name: 'latchkey', cluster: { server: cluster.url, 'certificate-authority': cluster.caFile } },
    ],
    users: [{ name: 'operator', user: { token: status.token } }],
  };
  writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
}

/** Writes the accounts of the local directory: lines as `latchkey accounts hash` makes them. */
export async function writeLocalAccounts(cluster: Cluster, lines: readonly string[]): Promise<void> {
  await writeSecret(cluster, 'latchkey-local-accounts', { accounts: `${lines.join('\n')}\n` });
}

export async function writeSecret(
  cluster: Cluster,
  name: string,
  stringData: Record<string, string>,
): Promise<void> {
  const metadata = { name, namespace: OPERATOR_NAMESPACE };
  // Server-side, so that no annotation keeps a copy of what is secret.
  await asAdmin(cluster, (client) =>
    client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${OPERATOR_NAMESPACE}/secrets/${name}`,
      query: { fieldManager: 'kubectl', force: true },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'v1', kind: 'Secret', metadata, stringData },
    }),
  );
}
