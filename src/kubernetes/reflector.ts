// Keeps a store equal to the API server's objects: lists, watches, and starts over for as long as it must.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ApiError, hasStatus } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { latestVersion, listAll } from './list.ts';
import type { Resource } from './resource.ts';
import { isNewer } from './resource-version.ts';
import type { Store, Stored } from './store.ts';
import { watch, WatchError } from './watch.ts';

/** client-go ends a watch after 5 to 10 minutes, so that connections spread over API servers again. */
const WATCH_SECONDS = 300;
/** A bookmark is due every minute; without one for this long the connection is taken for dead. */
const STALL_MS = 90_000;
const RELIST_AFTER = 3;
const BACKOFF_MS = { first: 200, most: 15_000 };
/** The most that is believed of a Retry-After. */
const MOST_ASKED_MS = 60_000;
const VERSION_TIMEOUT_MS = 10_000;

export interface Reflector {
  /** Resolves when the first list is in the store, or the API server says that there is no such resource. */
  readonly synced: Promise<void>;
  /** Resolves when `signal` has ended it; never rejects. */
  readonly done: Promise<void>;
  /** Ends the pause before the next try, if it is in one, and begins again with short ones: now it may succeed. */
  hurry(): void;
}

export interface ReflectorOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Told of every watch that breaks. */
  readonly onBroken?: (resource: string) => void;
}

/** Runs until `signal` aborts. Whatever the API server answers, it tries again, with jittered growing pauses. */
export function reflect<V extends Stored>(
  client: KubernetesClient,
  resource: Resource<V>,
  store: Store<V>,
  { log, signal, onBroken }: ReflectorOptions,
): Reflector {
  const { promise: synced, resolve: onSynced } = Promise.withResolvers<void>();
  let pause = 0;
  let resting = new AbortController();

  /**
   * Whether the store has seen what the API server does not know: etcd was restored from a backup. A watch from there
   * would not fail; it would be silent until the new history is as long as the old one was.
   */
  async function isRewound(): Promise<boolean> {
    const seen = store.resourceVersion;
    if (seen === undefined) return false;
    return isNewer(seen, await latestVersion(client, resource, { signal, timeoutMs: VERSION_TIMEOUT_MS }));
  }

  /** Apart from `run`, which waits for as long as the watch goes on, and would keep in memory what was listed before it. */
  async function list(): Promise<void> {
    const before = store.resourceVersion;
    const { objects, resourceVersion } = await listAll(client, resource, signal);
    store.replace(objects, resourceVersion, before);
  }

  async function run(): Promise<void> {
    let mustList = true;
    let failures = 0;
    while (!signal.aborted) {
      let askedMs = 0;
      try {
        mustList ||= await isRewound();
        if (mustList) {
          await list();
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
        // There is no such resource, as where a CustomResourceDefinition was deleted: so there are no objects of it.
        if (mustList && hasStatus(error, 404)) onSynced();
        failures += 1;
        onBroken?.(resource.name);
        mustList ||= failures >= RELIST_AFTER || isExpired(error);
        askedMs = error instanceof ApiError ? Math.min(error.retryAfterMs ?? 0, MOST_ASKED_MS) : 0;
        log.warn({ resource: resource.name, err: error, failures, list: mustList }, 'watch interrupted');
      }
      // A watch that ends at once, in good order or not, must not become a busy loop.
      pause = Math.min(Math.max(pause * 2, BACKOFF_MS.first), BACKOFF_MS.most);
      resting = new AbortController();
      await delay(Math.max(pause * (0.5 + Math.random()), askedMs), undefined, {
        signal: AbortSignal.any([signal, resting.signal]),
      }).catch(() => undefined);
    }
  }
  return {
    synced,
    done: run(),
    hurry() {
      pause = 0;
      resting.abort();
    },
  };
}

function isExpired(error: unknown): boolean {
  return hasStatus(error, 410) || (error instanceof WatchError && error.code === 'WatchExpired');
}
