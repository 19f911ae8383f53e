// A cluster with the chart in it and no operator, and somebody who holds the credentials of its ServiceAccount.
import { join } from 'node:path';
import type { ControlPlane } from '../../dev/cluster/control-plane.ts';
import { adminKubectl, operatorKubeconfig, type Kubectl } from '../../dev/latchkey/install.ts';
import { ApiError } from '../../src/kubernetes/api-error.ts';
import { kubernetesClient, type ApiRequest } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { startInstalledCluster } from '../support/installed-cluster.ts';

/** What the API server says to a request: 'done', or why it refuses. */
export type Attempt = (request: ApiRequest) => Promise<string>;

export interface StolenAccount {
  readonly cluster: ControlPlane;
  /** As an admin. */
  readonly kubectl: Kubectl;
  /** Of the thief. */
  readonly kubeconfig: string;
  readonly attempt: Attempt;
  /** The same as somebody else. */
  attemptAs(kubeconfig: string): Promise<Attempt>;
  stop(): Promise<void>;
}

export async function stolenAccount(): Promise<StolenAccount> {
  const cluster = await startInstalledCluster();
  const closers: (() => Promise<void>)[] = [() => cluster.stop()];
  const stop = async () => {
    for (const close of closers.toReversed()) await close();
  };
  const attemptAs = async (kubeconfig: string): Promise<Attempt> => {
    const client = kubernetesClient(await loadConnection(kubeconfig));
    closers.push(() => client.close());
    return async (request) => {
      try {
        await client.request(request);
        return 'done';
      } catch (error) {
        if (error instanceof ApiError) return error.message;
        throw error;
      }
    };
  };
  try {
    const kubeconfig = join(cluster.folder, 'thief.kubeconfig');
    await operatorKubeconfig(cluster, kubeconfig);
    const attempt = await attemptAs(kubeconfig);
    return { cluster, kubectl: adminKubectl(cluster), kubeconfig, attempt, attemptAs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const NAMESPACES = '/api/v1/namespaces';
const RBAC = 'rbac.authorization.k8s.io';

export const paths = {
  namespace: (name: string) => `${NAMESPACES}/${name}`,
  secrets: (namespace: string) => `${NAMESPACES}/${namespace}/secrets`,
  secret: (namespace: string, name = 'access-token') => `${NAMESPACES}/${namespace}/secrets/${name}`,
  bindings: (namespace: string) => `/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings`,
  binding: (namespace: string, name = 'latchkey-read-access-token') =>
    `/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings/${name}`,
  users: '/apis/latchkey.dev/v1alpha1/users',
  policies: '/apis/latchkey.dev/v1alpha1/tokenpolicies',
  leases: (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
};

export const apply = (path: string, body: object): ApiRequest => ({
  method: 'PATCH',
  path,
  contentType: 'application/apply-patch+yaml',
  query: { fieldManager: 'latchkey', force: true },
  body,
});

export const merge = (path: string, body: object): ApiRequest => ({
  method: 'PATCH',
  path,
  contentType: 'application/merge-patch+json',
  body,
});

export const get = (path: string): ApiRequest => ({ method: 'GET', path });
export const remove = (path: string): ApiRequest => ({ method: 'DELETE', path });
export const post = (path: string, body: object): ApiRequest => ({ method: 'POST', path, body });

export const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };
export const MADE = { 'latchkey.dev/namespace': 'made' };
export const HANDED_OVER = { 'latchkey.dev/namespace': 'handed-over' };
export const OWN_LABELS = { 'app.kubernetes.io/managed-by': 'latchkey', 'latchkey.dev/user-uid': 'u' };

export const namespace = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});

export const secret = (name = 'access-token', more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'Opaque',
  metadata: { name, labels: OWN_LABELS },
  ...more,
});

export const binding = (
  subjects: readonly object[],
  role: object = {},
  name = 'latchkey-read-access-token',
) => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'RoleBinding',
  metadata: { name, labels: OWN_LABELS },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'latchkey-read-access-token', ...role },
  subjects,
});

export const person = (name: string) => ({ apiGroup: RBAC, kind: 'User', name });
export const group = (name: string) => ({ apiGroup: RBAC, kind: 'Group', name });
export const serviceAccount = (name: string, of: string) => ({ kind: 'ServiceAccount', name, namespace: of });
