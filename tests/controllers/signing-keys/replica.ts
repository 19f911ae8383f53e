// A process of Latchkey as far as its signing keys go, on the real API server, with a namespace of its own.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { waitUntil } from '../../../dev/wait-until.ts';
import { signingKeys, type SigningKeys } from '../../../src/controllers/signing-keys/signing-keys.ts';
import type { Keyring } from '../../../src/issuer/keyring.ts';
import { kubernetesClient, type KubernetesClient } from '../../../src/kubernetes/client.ts';
import { loadConnection } from '../../../src/kubernetes/credentials.ts';
import type { TestCluster } from '../../support/cluster.ts';

const TIMEOUT_MS = 60_000;
export const INTERVAL_MS = 30 * 24 * 3_600_000;

export interface Replica extends SigningKeys {
  readonly client: KubernetesClient;
  /** Every line that it has logged. */
  readonly logged: string[];
  stop(): Promise<void>;
}

export async function newNamespace(cluster: TestCluster): Promise<string> {
  const namespace = `keys-${randomUUID().slice(0, 8)}`;
  await cluster.kubectl(['create', 'namespace', namespace]);
  return namespace;
}

export async function adminClient(cluster: TestCluster): Promise<KubernetesClient> {
  return kubernetesClient(await loadConnection(cluster.adminKubeconfig));
}

/** @param kubeconfig an admin's, unless another one is given */
export async function startReplica(
  cluster: TestCluster,
  namespace: string,
  kubeconfig = cluster.adminKubeconfig,
  clockIsRight = (): boolean => true,
): Promise<Replica> {
  const client = kubernetesClient(await loadConnection(kubeconfig));
  const stop = new AbortController();
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  const keys = signingKeys({
    client,
    namespace,
    rotationIntervalMs: INTERVAL_MS,
    clockIsRight,
    log,
    signal: stop.signal,
  });
  return {
    ...keys,
    client,
    logged,
    async stop() {
      stop.abort();
      await client.close();
    },
  };
}

/** Waits until the replica knows a keyring for which `holds`. */
export function knows(
  replica: Replica,
  what: string,
  holds: (keyring: Keyring) => boolean,
): Promise<Keyring> {
  return waitUntil(what, TIMEOUT_MS, () => {
    const keyring = replica.keyring();
    return keyring && holds(keyring) ? keyring : undefined;
  });
}

export function knowsNone(replica: Replica, what: string): Promise<true> {
  return waitUntil(what, TIMEOUT_MS, () => replica.keyring() === undefined);
}
