// What the kubelet is told of this process: whether a restart would heal it, and whether it can serve.
import type { QueueView } from '../../controllers/queue/queue.ts';
import { reach } from '../../kubernetes/reach.ts';
import type { HealthChecks } from '../../servers/health.ts';
import type { Replica } from './replica.ts';

/** Every request has a time limit of seconds: work that goes on for longer than this will never end. */
const STUCK_AFTER_MS = 5 * 60_000;

export interface HealthOptions {
  readonly queues: ReadonlyMap<string, QueueView>;
  /** Whether everything has been read once. */
  readonly isSynced: () => boolean;
}

/** An event loop that stands still answers nothing at all, which the kubelet takes for a no. */
export function healthChecks(
  { caches: { userFreshness, policyFreshness }, keys, callers, certificate }: Replica,
  { queues, isSynced }: HealthOptions,
): HealthChecks {
  /** Before everything is there, nothing can be proven. */
  const unlessCutOff = (name: string, isReached: () => boolean) => ({
    name,
    healthy: () => !isSynced() || isReached(),
  });
  return {
    live: [...queues].map(([name, queue]) => ({
      name: `queue-${name}`,
      healthy: () => queue.longestWorkMs < STUCK_AFTER_MS,
    })),
    ready: [
      { name: 'caches', healthy: isSynced },
      { name: 'certificate', healthy: () => !certificate || certificate.current() !== undefined },
      unlessCutOff('api-server', reach([userFreshness, policyFreshness])),
      unlessCutOff('signing-keys', reach([keys.freshness])),
      unlessCutOff('callers', reach([callers.freshness])),
    ],
  };
}
