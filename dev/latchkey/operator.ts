// Runs the operator as a process of its own, as a Pod would, and knows when it is ready.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { createAuthority } from '../certificates.ts';
import { freePort } from '../ports.ts';
import { startServer } from '../process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { waitUntil } from '../wait-until.ts';
import { operatorKubeconfig, OPERATOR_NAMESPACE, type Cluster } from './install.ts';

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
  { flags = [], nodeFlags = [], port: wanted, main = SOURCES }: OperatorOptions = {},
): Promise<Operator> {
  const { path: folder, remove } = temporaryFolder('latchkey-operator');
  const authority = await createAuthority(join(folder, 'pki'), 'latchkey portal CA');
  const { certFile, keyFile } = await authority.issue({
    name: 'portal',
    commonName: 'localhost',
    hosts: ['localhost', '127.0.0.1'],
  });
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
      `--tls-cert-file=${certFile}`,
      `--tls-key-file=${keyFile}`,
      ...flags,
    ],
    logFile,
  });
  const agent = new Agent({ connect: { ca: readFileSync(authority.certFile) } });
  try {
    await waitUntil('the operator to be ready', READY_TIMEOUT_MS, async () => {
      server.assertAlive();
      return request(`https://127.0.0.1:${port}/readyz`, { dispatcher: agent }).then(
        async ({ statusCode, body }) => {
          await body.dump();
          return statusCode === 200;
        },
        () => false, // It does not listen yet.
      );
    });
  } catch (error) {
    await server.kill();
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_IN_ERROR);
    remove();
    throw new Error(`the operator is not ready. Its last lines:\n${lines.join('\n')}`, { cause: error });
  } finally {
    await agent.close();
  }
  return {
    pid: server.pid,
    portal,
    caFile: authority.certFile,
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
