// Proves how old a watch cache can be at most, because a stalled watch looks just like a quiet one.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { KubernetesClient } from './client.ts';
import { ageMs, instant, type Instant } from './instant.ts';
import { latestVersion } from './list.ts';
import type { Resource } from './resource.ts';
import { isNewer } from './resource-version.ts';
import type { Store, Stored } from './store.ts';
import { watch, WatchError } from './watch.ts';

/** A "yes" rests on nothing older than this. */
export const FRESH_MS = 5_000;
/**
 * While there is demand, the next proof begins this long after the last one began: in time where it succeeded, and not
 * at once where it failed.
 */
const RENEW_AFTER_MS = 1_000;
/**
 * The API server sends a bookmark two seconds before the deadline of a watch (cacher/cache_watcher.go,
 * nextBookmarkTime), give or take one: so one arrives within about two seconds of the start of such a watch.
 */
const PROOF_WATCH_SECONDS = 3;
const LOOK_AGAIN_MS = 50;

export interface Freshness {
  /** Whether the store held, at some moment less than 5 s ago, everything that the API server held. Asks for a proof. */
  isProven(): boolean;
  /** Waits for a proof, at most `limitMs`. @returns whether there is one */
  untilProven(limitMs: number): Promise<boolean>;
  /** How old the store can be at most, in milliseconds; Infinity before the first proof. */
  ageMs(): number;
}

/**
 * The proof: a consistent read (a list of one item) gives the resourceVersion R of this moment; then a short watch of
 * the same resource runs from where the store stands until an event or a bookmark says that it has reached R. It is
 * apart from the reflector's watch, and on another connection, so that one that has stalled is not asked about itself.
 * Proofs are made only while somebody asks.
 */
export function freshness<V extends Stored>(
  client: KubernetesClient,
  resource: Resource<V>,
  store: Store<V>,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Freshness {
  let begun: Instant | undefined;
  let proven: Instant | undefined;
  let proving = false;

  async function prove(): Promise<void> {
    const asked = instant();
    const before = store.resourceVersion ?? '0';
    const latest = await latestVersion(client, resource, { signal, timeoutMs: FRESH_MS });
    // The store has seen what is not there any more; the reflector finds that out too, and lists.
    if (isNewer(before, latest))
      throw new WatchError('WatchExpired', 'the API server has gone back in time: was etcd restored?');
    const reached = () => store.hasReached(latest);
    if (!reached()) {
      await watch(client, resource, store, {
        timeoutSeconds: PROOF_WATCH_SECONDS,
        stallMs: FRESH_MS,
        signal,
        onProgress: reached,
      });
    }
    if (reached()) proven = asked;
  }

  function demand(now: Instant): void {
    if (proving || signal.aborted || store.resourceVersion === undefined) return;
    if (begun && ageMs(begun, now) < RENEW_AFTER_MS) return;
    begun = now;
    proving = true;
    prove()
      .catch((error: unknown) => {
        if (!signal.aborted)
          log.warn({ resource: resource.name, err: error }, 'freshness of the cache not proven');
      })
      .finally(() => {
        proving = false;
      });
  }

  function isProven(): boolean {
    const now = instant();
    demand(now);
    return proven !== undefined && ageMs(proven, now) < FRESH_MS;
  }

  return {
    isProven,
    async untilProven(limitMs) {
      const asked = instant();
      while (!isProven()) {
        if (signal.aborted || ageMs(asked) >= limitMs) return false;
        await delay(LOOK_AGAIN_MS);
      }
      return true;
    },
    ageMs: () => (proven ? ageMs(proven) : Number.POSITIVE_INFINITY),
  };
}
