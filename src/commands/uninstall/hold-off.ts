// Keeps the operator from work while Latchkey is removed: else it would put back what is taken away.
import { setTimeout as delay } from 'node:timers/promises';
import { LEADER_LEASE } from '../../api/names.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { ifFound } from '../../kubernetes/if-found.ts';
import { retryConflicts } from '../../kubernetes/retry-conflicts.ts';

/** The same each time, so that a second run finds the Lease its own. */
const HOLDER = 'latchkey-uninstall';
/** Longer than a removal takes, and short enough for who changes their mind. */
const HOLD_SECONDS = 3_600;
const DEPLOYMENT = 'latchkey';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

interface Lease {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
  };
}

interface HoldOff {
  readonly client: KubernetesClient;
  readonly namespace: string;
  readonly out: (line: string) => void;
}

/**
 * Stops the Deployment, and takes the Lease of the leader: whoever loses it stops within two thirds of its duration
 * (src/kubernetes/leader.ts), even when it cannot reach the API server.
 * @returns the Deployment, with which the Lease goes; undefined where there is none
 */
export async function holdOff({ client, namespace, out }: HoldOff): Promise<OwnerReference | undefined> {
  const owner = await stopDeployment(client, namespace);
  const waitSeconds = await takeLease(client, namespace, owner);
  if (waitSeconds > 0) {
    out(`Waiting ${waitSeconds} s until the operator has stopped working.`);
    await delay(waitSeconds * 1_000);
  }
  return owner;
}

async function stopDeployment(
  client: KubernetesClient,
  namespace: string,
): Promise<OwnerReference | undefined> {
  const stopped = await ifFound(
    client.request<{ metadata: { uid: string } }>({
      method: 'PATCH',
      path: `/apis/apps/v1/namespaces/${namespace}/deployments/${DEPLOYMENT}`,
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas: 0 } },
    }),
  );
  return (
    stopped && { apiVersion: 'apps/v1', kind: 'Deployment', name: DEPLOYMENT, uid: stopped.metadata.uid }
  );
}

/** @returns for how long whoever held it may still believe that it leads, in seconds */
async function takeLease(
  client: KubernetesClient,
  namespace: string,
  owner: OwnerReference | undefined,
): Promise<number> {
  const base = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const metadata = { name: LEADER_LEASE, namespace, ...(owner && { ownerReferences: [owner] }) };
  return retryConflicts(async () => {
    const now = new Date().toISOString().replace('Z', '000Z');
    const ours = {
      holderIdentity: HOLDER,
      leaseDurationSeconds: HOLD_SECONDS,
      acquireTime: now,
      renewTime: now,
    };
    let lease: Lease;
    try {
      lease = await client.request<Lease>({ method: 'GET', path: `${base}/${LEADER_LEASE}` });
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      await client.request({ method: 'POST', path: base, body: { metadata, spec: ours } });
      return 0;
    }
    const { holderIdentity = '', leaseDurationSeconds = 0, leaseTransitions = 0 } = lease.spec ?? {};
    const isOurs = holderIdentity === HOLDER;
    const spec = { ...ours, leaseTransitions: leaseTransitions + (isOurs ? 0 : 1) };
    const body = { ...lease, metadata: { ...lease.metadata, ...metadata }, spec };
    await client.request({ method: 'PUT', path: `${base}/${LEADER_LEASE}`, body });
    return isOurs || holderIdentity === '' ? 0 : leaseDurationSeconds;
  });
}
