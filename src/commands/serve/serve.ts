// `latchkey serve`: puts the parts together, starts them in order, and stops them in the reverse order.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { LEADER_LEASE } from '../../api/names.ts';
import { kubernetesClient } from '../../kubernetes/client.ts';
import { loadConnection } from '../../kubernetes/credentials.ts';
import { elect, type Leader } from '../../kubernetes/leader.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import { createMetricsServer } from '../../servers/metrics.ts';
import { parseExternalUrl } from '../../servers/portal/settings.ts';
import { servedCertificate } from './certificate.ts';
import { directoryOf } from './directory.ts';
import { endpoints } from './endpoints.ts';
import { healthChecks } from './health.ts';
import { leaderWork } from './leader.ts';
import { replica } from './replica.ts';
import type { ServeSettings } from './settings.ts';
import { sources } from './sources.ts';
import { version } from './version.ts';

/**
 * Runs until `signal` aborts.
 * @throws where a setting cannot be used, or the cluster cannot be reached at the start: the kubelet tries again.
 */
export async function serve(settings: ServeSettings, log: Logger, signal: AbortSignal): Promise<void> {
  const portal = parseExternalUrl(settings.externalUrl).origin;
  const metrics = createMetrics(version());
  const client = kubernetesClient(await loadConnection(settings.kubeconfig), { onAnswer: metrics.answered });
  const instance = `${hostname()}_${randomUUID()}`;
  const directory = directoryOf(client, settings);
  const known = replica(client, settings, { portal, instance, metrics, log });
  let leader: Leader | undefined;
  const isLeading = () => leader?.isLeading() ?? false;
  const work = leaderWork(known, settings, { isLeading, log });
  metrics.observe(sources(known, { queues: work.queues, isLeading }));

  let isSynced = false;
  const server = await endpoints(known, settings, {
    certificate: await servedCertificate(known.certificate, settings, log),
    directory,
    health: healthChecks(known, { queues: work.queues, isSynced: () => isSynced }),
    log,
  });
  const measured = createMetricsServer(settings.metricsListenAddress, metrics.scrape, log);
  const metricsPort = await measured.listen();
  const port = await server.listen();
  log.info({ port, metricsPort, portal, issuer: settings.issuerUrl }, 'listening');
  // While the API server cannot be reached it is not over, and the process may be told to stop.
  await Promise.race([known.start(), signal.aborted || once(signal, 'abort')]);
  if (!signal.aborted) {
    isSynced = true;
    log.info({ users: known.caches.users.size }, 'caches are complete');
  }

  leader = elect({
    client,
    namespace: settings.namespace,
    name: LEADER_LEASE,
    identity: instance,
    leaseMs: settings.leaseDuration,
    log,
    signal,
    lead: work.run,
  });
  await leader.done;
  await server.close();
  await directory.close();
  await known.stop();
  await measured.close();
  await client.close();
  log.info('stopped');
}
