// The one real control plane of this test run, for suites that share it.
import { Agent, request } from 'undici';
import type { ControlPlane } from '../../dev/cluster/control-plane.ts';
import { runKubectl } from '../../dev/cluster/kubectl.ts';

/** The suites run in other processes than the global setup: they ask it over the socket that this names. */
export const SOCKET_VARIABLE = 'LATCHKEY_TEST_CLUSTER_SOCKET';

// The first answer of all waits for the programs to be built.
const ANSWER_TIMEOUT_MS = 20 * 60_000;

export interface TestCluster extends Pick<
  ControlPlane,
  'url' | 'caFile' | 'adminKubeconfig' | 'binaries' | 'clientKubeconfig'
> {
  /** Runs the cluster's own kubectl as an admin, or as whom the kubeconfig says; returns what it prints. */
  kubectl(args: readonly string[], options?: { kubeconfig?: string; input?: string }): Promise<string>;
}

/**
 * Starts the control plane where no suite has asked before; await it at the top of the test file, where no time
 * limit of a hook counts. A suite that wants to restart or stop a server, or one of its own flags, starts its own
 * with `startControlPlane`.
 */
export async function testCluster(): Promise<TestCluster> {
  const cluster: Omit<TestCluster, 'clientKubeconfig' | 'kubectl'> = JSON.parse(
    await askGlobalSetup('/cluster'),
  );
  return {
    ...cluster,
    async clientKubeconfig(user, groups = []) {
      const query = new URLSearchParams({ user });
      for (const group of groups) query.append('group', group);
      const file: string = JSON.parse(await askGlobalSetup(`/client-kubeconfig?${query.toString()}`));
      return file;
    },
    kubectl: (args, { kubeconfig = cluster.adminKubeconfig, input } = {}) =>
      runKubectl({
        kubectl: cluster.binaries.kubectl,
        kubeconfig,
        args,
        ...(input !== undefined && { input }),
      }),
  };
}

/** What it answers, as JSON. @throws Error with what went wrong there */
export async function askGlobalSetup(path: string): Promise<string> {
  const socketPath = process.env[SOCKET_VARIABLE];
  if (socketPath === undefined) throw new Error('jest runs without the global setup of jest.config.js');
  const agent = new Agent({ connect: { socketPath }, headersTimeout: ANSWER_TIMEOUT_MS });
  try {
    const { statusCode, body } = await request(`http://cluster${path}`, { dispatcher: agent });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(text);
    return text;
  } finally {
    await agent.close();
  }
}
