// Asks the credential plugin that a kubeconfig names, and keeps what it answers until that expires.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { authorityOf, type Cluster, type Exec } from './kubeconfig.ts';

/** Some ask a server of their own; one that asks a person cannot be used here. */
const TIME_LIMIT_MS = 60_000;

const statusSchema = z
  .object({
    token: z.string().min(1).nullish(),
    clientCertificateData: z.string().min(1).nullish(),
    clientKeyData: z.string().min(1).nullish(),
    expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
  })
  .refine(({ token, clientCertificateData }) => token ?? clientCertificateData, 'no credentials')
  .refine((one) => !one.clientCertificateData === !one.clientKeyData, 'half of a certificate');
const answerSchema = z.object({ status: statusSchema });

export type PluginCredentials = z.infer<typeof statusSchema>;

/**
 * @returns asks the plugin where what it has answered is not there or has expired
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export function execPlugin(exec: Exec, cluster: Cluster) {
  let latest: PluginCredentials | undefined;
  return async function credentials(): Promise<PluginCredentials> {
    const end = latest?.expirationTimestamp;
    if (!latest || (end && Date.parse(end) <= Date.now())) latest = await ask(exec, cluster);
    return latest;
  };
}

/** @throws {Error} that may quote what the plugin has printed: for nobody to see */
async function ask(exec: Exec, cluster: Cluster): Promise<PluginCredentials> {
  const asking = promisify(execFile)(exec.command, exec.args ?? [], {
    env: {
      ...process.env,
      ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: JSON.stringify({
        apiVersion: exec.apiVersion,
        kind: 'ExecCredential',
        spec: { interactive: false, ...(exec.provideClusterInfo && { cluster: clusterInfo(cluster) }) },
      }),
    },
    timeout: TIME_LIMIT_MS,
  });
  // One that reads would wait for ever.
  asking.child.stdin?.end();
  const { stdout } = await asking;
  return answerSchema.parse(JSON.parse(stdout)).status;
}

function clusterInfo(cluster: Cluster): object {
  const config = cluster.extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec');
  const authority = authorityOf(cluster);
  return {
    server: cluster.server,
    'tls-server-name': cluster['tls-server-name'],
    'certificate-authority-data': authority && Buffer.from(authority).toString('base64'),
    config: config?.extension,
  };
}
