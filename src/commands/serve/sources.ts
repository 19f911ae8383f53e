// Where the figures of the metrics are read, each time that somebody asks for them.
import { POLICY_NAME } from '../../api/names.ts';
import { openHolds } from '../../controllers/holds/holds.ts';
import type { QueueView } from '../../controllers/queue/queue.ts';
import type { CacheState, Sources } from '../../metrics/gauges.ts';
import { liveTokens, usersByDirectory, usersByPhase } from '../../observation/live-tokens.ts';
import type { Replica } from './replica.ts';

export interface SourcesOptions {
  readonly queues: ReadonlyMap<string, QueueView>;
  readonly isLeading: () => boolean;
}

export function sources(
  { caches, events, license, directoryWatch }: Replica,
  { queues, isLeading }: SourcesOptions,
): Sources {
  const state = (store: { readonly size: number; readonly heardMs: number }): CacheState => ({
    objects: store.size,
    heardMs: store.heardMs,
  });
  return {
    isLeading,
    queues: () => queues,
    caches: () =>
      new Map([
        ['users', { ...state(caches.users), provenMs: caches.userFreshness.ageMs() }],
        ['tokenpolicies', { ...state(caches.policies), provenMs: caches.policyFreshness.ageMs() }],
        ['namespaces', state(caches.namespaces)],
        ['secrets', state(caches.secrets)],
        ['rolebindings', state(caches.bindings)],
      ]),
    tokens: () => liveTokens(caches, Date.now()),
    users: () => usersByPhase(caches),
    licenseRemainingMs() {
      const { content, at } = license.reading();
      return content.kind === 'Verified' ? content.license.expiresAt.getTime() - at.getTime() : undefined;
    },
    holds: () => openHolds(caches.policies.get(POLICY_NAME)?.policy),
    eventsDropped: () => events.dropped,
    directoryUsers: () => usersByDirectory(caches),
    directoryAnswers() {
      const { askedAt, sweptAt } = directoryWatch.looks();
      const now = Date.now();
      return new Map([
        ...(askedAt ? [['changes', now - askedAt.getTime()] as const] : []),
        ...(sweptAt ? [['sweep', now - sweptAt.getTime()] as const] : []),
      ]);
    },
  };
}
