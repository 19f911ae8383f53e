// `latchkey serve`: puts the parts together, starts them in order, and stops them in the reverse order.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { kubernetesClient } from '../../kubernetes/client.ts';
import { loadConnection } from '../../kubernetes/credentials.ts';
import { elect } from '../../kubernetes/leader.ts';
import { parseExternalUrl } from '../../servers/portal/settings.ts';
import { directoryOf } from './directory.ts';
import { endpoints } from './endpoints.ts';
import { leaderWork } from './leader.ts';
import { replica } from './replica.ts';
import type { ServeSettings } from './settings.ts';

/** The Lease that the replicas agree on. */
const LEASE = 'latchkey-leader';

/**
 * Runs until `signal` aborts.
 * @throws where a setting cannot be used, or the cluster cannot be reached at the start: the kubelet tries again.
 */
export async function serve(settings: ServeSettings, log: Logger, signal: AbortSignal): Promise<void> {
  const portal = parseExternalUrl(settings.externalUrl).origin;
  const client = kubernetesClient(await loadConnection(settings.kubeconfig));
  const instance = `${hostname()}_${randomUUID()}`;
  const directory = directoryOf(client, settings);
  const known = replica(client, settings, { portal, instance, log });
  const lead = leaderWork(known, settings, { isLeading: () => leader.isLeading(), log });

  let isSynced = false;
  const server = await endpoints(known, settings, {
    directory,
    health: { live: [], ready: [{ name: 'caches', healthy: () => isSynced }] },
    log,
  });
  const port = await server.listen();
  log.info({ port, portal, issuer: settings.issuerUrl }, 'listening');
  await known.start();
  isSynced = true;
  log.info({ users: known.caches.users.size }, 'caches are complete');

  const leader = elect({
    client,
    namespace: settings.namespace,
    name: LEASE,
    identity: instance,
    leaseMs: settings.leaseDuration,
    log,
    signal,
    lead,
  });
  await leader.done;
  await server.close();
  await directory.close();
  await known.stop();
  await client.close();
  log.info('stopped');
}
