// Gives a contender a ServiceAccount of its own that the API server treats exactly as it treats the operator's.
import { join } from 'node:path';
import type { ControlPlane } from '../dev/cluster/control-plane.ts';
import { adminKubectl, operatorKubeconfig, OPERATOR_NAMESPACE } from '../dev/latchkey/install.ts';

const RBAC = 'rbac.authorization.k8s.io';
const OPERATOR = 'latchkey';
const usernameOf = (account: string) => `system:serviceaccount:${OPERATOR_NAMESPACE}:${account}`;

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

/**
 * The same rights, the same place in the API server's queues, and the same admission policy over what it writes: each
 * costs time with every request.
 * @returns the kubeconfig
 */
export async function equalAccount(cluster: ControlPlane, name: string): Promise<string> {
  const kubectl = adminKubectl(cluster);
  const read = async (kind: string, of: string): Promise<Named> =>
    JSON.parse(await kubectl(['get', kind, of, '-o', 'json'])) as Named;
  const metadata = { name, namespace: OPERATOR_NAMESPACE };
  const policy = 'latchkey-operator-secrets';
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'latchkey-operator' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
    ownCopy(await read('flowschema', OPERATOR), name, [
      `"name":"${OPERATOR}","namespace"`,
      `"name":"${name}","namespace"`,
    ]),
    ownCopy(await read('validatingadmissionpolicy', policy), name, [usernameOf(OPERATOR), usernameOf(name)]),
    ownCopy(await read('validatingadmissionpolicybinding', policy), name, [`"${policy}"`, `"${name}"`]),
  ];
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const file = join(cluster.folder, `${name}.kubeconfig`);
  await operatorKubeconfig(cluster, file, name);
  return file;
}

/** @throws where the text to replace is not in it: then the copy would still be about the operator. */
function ownCopy(
  { apiVersion, kind, spec }: Named,
  name: string,
  [operators, own]: readonly [string, string],
): Named {
  const text = JSON.stringify(spec);
  if (!text.includes(operators)) throw new Error(`the ${kind} does not name the operator as expected`);
  return { apiVersion, kind, metadata: { name }, spec: JSON.parse(text.replace(operators, own)) as object };
}
