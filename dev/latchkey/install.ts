// Puts into a cluster what the operator needs there, and makes a kubeconfig of its ServiceAccount: it runs with its own rights.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runKubectl } from '../cluster/kubectl.ts';

export const OPERATOR_NAMESPACE = 'latchkey';
const SERVICE_ACCOUNT = 'latchkey';

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

const root = fileURLToPath(new URL('../../', import.meta.url));

/** CRDs, roles, namespace and ServiceAccount; safe to run again. */
export async function install(cluster: Cluster): Promise<void> {
  const kubectl = adminKubectl(cluster);
  await kubectl(['apply', '--server-side', '-f', `${root}crds/`]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', `${root}crds/`]);
  for (const name of ['clusterrole-reader', 'clusterrole-operator', 'role-events'])
    await kubectl(['apply', '-f', `${root}charts/latchkey/templates/${name}.yaml`]);
  await kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: ownObjects() }),
  );
  await kubectl([
    'apply',
    '-n',
    OPERATOR_NAMESPACE,
    '-f',
    `${root}charts/latchkey/templates/role-operator.yaml`,
  ]);
}

function ownObjects(): object[] {
  const rbac = 'rbac.authorization.k8s.io';
  const subjects = [{ kind: 'ServiceAccount', name: SERVICE_ACCOUNT, namespace: OPERATOR_NAMESPACE }];
  const name = 'latchkey-operator';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: OPERATOR_NAMESPACE } },
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: SERVICE_ACCOUNT, namespace: OPERATOR_NAMESPACE },
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
      subjects,
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace: OPERATOR_NAMESPACE },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects,
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'latchkey-events', namespace: 'default' },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'latchkey-events' },
      subjects,
    },
  ];
}

/** Writes a kubeconfig with a token of the operator's ServiceAccount, good for a day. */
export async function operatorKubeconfig(cluster: Cluster, file: string): Promise<void> {
  const token = await adminKubectl(cluster)([
    'create', 'token', SERVICE_ACCOUNT, '-n', OPERATOR_NAMESPACE, '--duration=24h',
  ]); // prettier-ignore
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'latchkey',
    contexts: [{ name: 'latchkey', context: { cluster: 'latchkey', user: 'operator' } }],
    clusters: [
      { name: 'latchkey', cluster: { server: cluster.url, 'certificate-authority': cluster.caFile } },
    ],
    users: [{ name: 'operator', user: { token: token.trim() } }],
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
  await adminKubectl(cluster)(
    ['apply', '--server-side', '--force-conflicts', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, stringData }),
  );
}
