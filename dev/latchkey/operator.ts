// Runs the operator as a process of its own, as a Pod would, and knows when it is ready.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { askOnce } from '../ask-once.ts';
import { createAuthority } from '../certificates.ts';
import { DevError } from '../errors.ts';
import { freePort } from '../ports.ts';
import { startServer } from '../process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { waitUntil, type See } from '../wait-until.ts';
import { adminKubectl, operatorKubeconfig, OPERATOR_NAMESPACE, type Cluster } from './install.ts';
import { running } from './running.ts';

const READY_TIMEOUT_MS = 60_000;
/** As long as the kubelet waits (terminationGracePeriodSeconds of a Pod), unless it is told otherwise. */
const STOP_TIMEOUT_MS = 30_000;
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
  /** SIGTERM, as the kubelet sends it; resolves with how the process ended, and fails where it has not after 30 s. */
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
    await waitUntil('the operator to be ready', READY_TIMEOUT_MS, async (see) => {
      server.assertAlive();
      return (
        (await certificate.isThere(portal, see)) && isReady(portal, see, readFileSync(certificate.caFile))
      );
    });
  } catch (error) {
    await server.kill();
    const lines = server.lastLines();
    remove();
    if (error instanceof DevError && error.code === 'ProcessDied') throw error;
    throw new Error(`${(error as Error).message}. Its last lines:\n${lines}`, { cause: error });
  }
  const known = { portal, lastLines: server.lastLines };
  running.add(known);
  return {
    pid: server.pid,
    portal,
    caFile: certificate.caFile,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    logFile,
    log: () => readFileSync(logFile, 'utf8'),
    async stop() {
      process.kill(server.pid, 'SIGTERM');
      let how: string | undefined;
      void server.ended.then((ended) => (how = ended));
      const end = await waitUntil('the operator to end after SIGTERM', STOP_TIMEOUT_MS, () => how);
      running.delete(known);
      return end;
    },
    async kill() {
      running.delete(known);
      await server.kill();
    },
    remove() {
      running.delete(known);
      remove();
    },
  };
}

interface PortalCertificate {
  readonly flags: readonly string[];
  /** Signs it. */
  readonly caFile: string;
  isThere(portal: string, see: See): Promise<boolean>;
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
    async isThere(portal, see) {
      // First as the kubelet asks: a kubectl for each look would take the processor from the operator that starts.
      if (!(await isReady(portal, see))) return false;
      const data = await adminKubectl(cluster)(['-n', OPERATOR_NAMESPACE, 'get', 'secret', 'latchkey-tls', '--ignore-not-found', '-o', 'jsonpath={.data.ca\\.crt}']); // prettier-ignore
      writeFileSync(caFile, Buffer.from(data, 'base64'));
      return data !== '';
    },
  };
}

/** @param ca without it, no certificate is verified */
async function isReady(portal: string, see: See, ca?: Buffer): Promise<boolean> {
  try {
    const { status, text } = await askOnce(`${portal}/readyz`, { ca });
    see(`${status} ${text}`);
    return status === 200;
  } catch (error) {
    see(error); // It does not listen yet.
    return false;
  }
}
