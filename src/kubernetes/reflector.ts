// Keeps a store equal to the API server's objects: lists, watches, and starts over for as long as it must.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { hasStatus } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { listAll } from './list.ts';
import type { Resource } from './resource.ts';
import type { Store, Stored } from './store.ts';
import { watch, WatchError } from './watch.ts';

/** client-go ends a watch after 5 to 10 minutes, so that connections spread over API servers again. */
const WATCH_SECONDS = 300;
/** A bookmark is due every minute; without one for this long the connection is taken for dead. */
const STALL_MS = 90_000;
const RELIST_AFTER = 3;
const BACKOFF_MS = { first: 200, most: 15_000 };

export interface Reflector {
  /** Resolves when the first list is in the store. */
  readonly synced: Promise<void>;
  /** Resolves when `signal` has ended it; never rejects. */
  readonly done: Promise<void>;
}

/** Runs until `signal` aborts. Whatever the API server answers, it tries again, with jittered growing pauses. */
export function reflect<V extends Stored>(
  client: KubernetesClient,
  resource: Resource<V>,
  store: Store<V>,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Reflector {
  const { promise: synced, resolve: onSynced } = Promise.withResolvers<void>();

  async function run(): Promise<void> {
    let pause = 0;
    let mustList = true;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (mustList) {
          const { objects, resourceVersion } = await listAll(client, resource, signal);
          store.replace(objects, resourceVersion);
          mustList = false;
          failures = 0;
          onSynced();
        }
        await watch(client, resource, store, {
          timeoutSeconds: Math.round(WATCH_SECONDS * (1 + Math.random())),
          stallMs: STALL_MS,
          signal,
          onProgress: () => {
            pause = 0;
            failures = 0;
            return false;
          },
        });
      } catch (error) {
        if (signal.aborted) return;
        // A watch that keeps failing may ask for a future that a restored etcd has never seen: a list settles it.
        failures += 1;
        mustList ||= failures >= RELIST_AFTER || isExpired(error);
        log.warn(
          { resource: resource.name, err: error, pauseMs: pause, list: mustList },
          'watch interrupted',
        );
      }
      // A watch that ends at once, in good order or not, must not become a busy loop.
      pause = Math.min(Math.max(pause * 2, BACKOFF_MS.first), BACKOFF_MS.most);
      await delay(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }
  return { synced, done: run() };
}

function isExpired(error: unknown): boolean {
  return hasStatus(error, 410) || (error instanceof WatchError && error.code === 'WatchExpired');
}
