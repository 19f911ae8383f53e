// Runs the operator as a process of its own, as a Pod would, and knows when it is ready.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { createAuthority } from '../certificates.ts';
import { freePort } from '../ports.ts';
import { startServer } from '../process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { waitUntil } from '../wait-until.ts';
import { adminKubectl, operatorKubeconfig, OPERATOR_NAMESPACE, type Cluster } from './install.ts';

const READY_TIMEOUT_MS = 30_000;
const LOG_LINES_IN_ERROR = 20;
const SOURCES = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface OperatorOptions {
  /** More flags of `latchkey serve`; they stand last, so they win. */
  readonly flags?: readonly string[];
  /** Flags of Node itself, for instance a module that sets the clock of this process. */
  readonly nodeFlags?: readonly string[];
  /** Where to listen; a free port by default. */
  readonly port?: number;
  /** The program; the sources as they are by default. */
  readonly main?: string;
  /** Whether it makes the certificate of its portal itself, as it does without files. */
  readonly ownCertificate?: boolean;
}

export interface Operator {
  readonly pid: number;
  /** Where the portal is, for example https://localhost:20443. */
  readonly portal: string;
  /** Signs the certificate of the portal. */
  readonly caFile: string;
  /** Where its metrics are. */
  readonly metricsUrl: string;
  readonly logFile: string;
  log(): string;
  /** SIGTERM, as the kubelet sends it; resolves with how the process ended. */
  stop(): Promise<string>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Removes what it left on disk; after `stop` or `kill`. */
  remove(): void;
}

export async function startOperator(
  cluster: Cluster,
  { flags = [], nodeFlags = [], port: wanted, main = SOURCES, ownCertificate = false }: OperatorOptions = {},
): Promise<Operator> {
  const { path: folder, remove } = temporaryFolder('latchkey-operator');
  const certificate = ownCertificate
    ? ownPortalCertificate(cluster, folder)
    : await portalCertificate(folder);
  const kubeconfig = join(folder, 'operator.kubeconfig');
  await operatorKubeconfig(cluster, kubeconfig);
  const port = wanted ?? (await freePort());
  const metricsPort = await freePort();
  const portal = `https://localhost:${port}`;
  const logFile = join(folder, 'operator.log');
  const server = startServer({
    command: process.execPath,
    args: [
      ...nodeFlags,
      main,
      'serve',
      `--kubeconfig=${kubeconfig}`,
      `--namespace=${OPERATOR_NAMESPACE}`,
      `--external-url=${portal}`,
      `--issuer-url=${portal}`,
      `--listen-address=127.0.0.1:${port}`,
      `--metrics-listen-address=127.0.0.1:${metricsPort}`,
      ...certificate.flags,
      ...flags,
    ],
    logFile,
  });
  try {
    await waitUntil('the operator to be ready', READY_TIMEOUT_MS, async () => {
      server.assertAlive();
      return (await certificate.isThere()) && isReady(portal, certificate.caFile);
    });
  } catch (error) {
    await server.kill();
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_IN_ERROR);
    remove();
    throw new Error(`the operator is not ready. Its last lines:\n${lines.join('\n')}`, { cause: error });
  }
  return {
    pid: server.pid,
    portal,
    caFile: certificate.caFile,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    logFile,
    log: () => readFileSync(logFile, 'utf8'),
    async stop() {
      process.kill(server.pid, 'SIGTERM');
      return server.ended;
    },
    kill: () => server.kill(),
    remove,
  };
}

interface PortalCertificate {
  readonly flags: readonly string[];
  /** Signs it. */
  readonly caFile: string;
  isThere(): Promise<boolean>;
}

async function portalCertificate(folder: string): Promise<PortalCertificate> {
  const authority = await createAuthority(join(folder, 'pki'), 'latchkey portal CA');
  const { certFile, keyFile } = await authority.issue({
    name: 'portal',
    commonName: 'localhost',
    hosts: ['localhost', '127.0.0.1'],
  });
  return {
    flags: [`--tls-cert-file=${certFile}`, `--tls-key-file=${keyFile}`],
    caFile: authority.certFile,
    isThere: async () => true,
  };
}

/** Found as a client would find it: in the Secret that the operator makes. */
function ownPortalCertificate(cluster: Cluster, folder: string): PortalCertificate {
  const caFile = join(folder, 'ca.crt');
  return {
    flags: [],
    caFile,
    async isThere() {
      const data = await adminKubectl(cluster)(['-n', OPERATOR_NAMESPACE, 'get', 'secret', 'latchkey-tls', '--ignore-not-found', '-o', 'jsonpath={.data.ca\\.crt}']); // prettier-ignore
      writeFileSync(caFile, Buffer.from(data, 'base64'));
      return data !== '';
    },
  };
}

async function isReady(portal: string, caFile: string): Promise<boolean> {
  const agent = new Agent({ connect: { ca: readFileSync(caFile) } });
  try {
    const { statusCode, body } = await request(`${portal}/readyz`, { dispatcher: agent });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false; // It does not listen yet.
  } finally {
    await agent.close();
  }
}
