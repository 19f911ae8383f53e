// Watches every Secret access-token as an admin: an eye of the bench's own, that takes nobody's word for what was written.
import { ANNOTATION, LABEL, TOKEN_KEY, TOKEN_SECRET } from '../src/api/names.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { reflect } from '../src/kubernetes/reflector.ts';
import type { RawObject, Resource } from '../src/kubernetes/resource.ts';
import { Store, type Stored } from '../src/kubernetes/store.ts';
import { createLog } from '../src/log.ts';
import { listAll } from '../src/kubernetes/list.ts';
import { waitUntil } from '../dev/wait-until.ts';

interface Sighting extends Stored {
  /** When the token expires, in ms since 1970; undefined without a token. */
  readonly expiresAt: number | undefined;
}

const SIGHTINGS: Resource<Sighting> = {
  name: 'secrets',
  path: '/api/v1/secrets',
  fieldSelector: `metadata.name=${TOKEN_SECRET}`,
  labelSelector: LABEL.userUID,
  metadataOnly: true,
  view({ metadata: { name, namespace = '', uid, resourceVersion, annotations } }) {
    const expiry = Date.parse(annotations?.[ANNOTATION.expiresAt] ?? '');
    return { name, namespace, uid, resourceVersion, expiresAt: Number.isNaN(expiry) ? undefined : expiry };
  },
};

/** A token for everybody, once. */
export interface Pass {
  /** Resolves when the last token has been seen. Times are those of performance.now(): the first is seen, and the last. */
  readonly done: Promise<{ readonly beganAt: number; readonly endedAt: number }>;
  /** The least that a token still had to live when it was replaced, in milliseconds. */
  leastLifeMs(): number;
}

export interface Tokens {
  /** How many there are. */
  count(): number;
  /** The last moment, in ms since 1970, at which one of them expires. */
  latestExpiry(): number;
  /** Follows the next `count` tokens that are written, each in another Secret. */
  pass(count: number, timeoutMs: number): Pass;
  /** Calls back with the namespace, as soon as a token is seen in one. */
  onToken(listener: (namespace: string) => void): void;
  /** Calls back with the namespace, as soon as a token is seen to be gone from one. */
  onGone(listener: (namespace: string) => void): void;
}

/** Returns when it has seen what there is. */
export async function watchTokens(client: KubernetesClient, signal: AbortSignal): Promise<Tokens> {
  const store = new Store<Sighting>();
  const { synced } = reflect(client, SIGHTINGS, store, { log: createLog('error'), signal });
  await synced;
  const expiries = () => [...store.values()].flatMap(({ expiresAt }) => expiresAt ?? []);
  return {
    count: () => expiries().length,
    latestExpiry: () => Math.max(...expiries()),
    pass(count, timeoutMs) {
      const seen = new Set<string>();
      let beganAt = 0;
      let endedAt: number | undefined;
      let least = Number.POSITIVE_INFINITY;
      store.onChange((before, after) => {
        if (endedAt !== undefined || after?.expiresAt === undefined || seen.has(after.uid)) return;
        if (before?.expiresAt !== undefined) least = Math.min(least, before.expiresAt - Date.now());
        if (seen.size === 0) beganAt = performance.now();
        seen.add(after.uid);
        if (seen.size === count) endedAt = performance.now();
      });
      const done = waitUntil(`${count} tokens to be written`, timeoutMs, () => endedAt).then((at) => ({
        beganAt,
        endedAt: at,
      }));
      return { done, leastLifeMs: () => least };
    },
    onGone(listener) {
      store.onChange((before, after) => {
        if (before?.expiresAt !== undefined && after?.expiresAt === undefined)
          listener(before.namespace ?? '');
      });
    },
    onToken(listener) {
      store.onChange((_, after) => {
        if (after?.expiresAt !== undefined) listener(after.namespace ?? '');
      });
    },
  };
}

/** Every token that there is now, by the name of its namespace. */
export async function readTokens(client: KubernetesClient): Promise<ReadonlyMap<string, string>> {
  const { objects } = await listAll(client, {
    name: 'secrets',
    path: SIGHTINGS.path,
    fieldSelector: `metadata.name=${TOKEN_SECRET}`,
    view(object: RawObject & { data?: Readonly<Record<string, string>> }) {
      const { name, namespace = '', uid, resourceVersion } = object.metadata;
      const value = Buffer.from(object.data?.[TOKEN_KEY] ?? '', 'base64').toString();
      return { name, namespace, uid, resourceVersion, value };
    },
  });
  return new Map(
    objects.filter(({ value }) => value !== '').map(({ namespace, value }) => [namespace ?? '', value]),
  );
}

/** @throws where somebody has the token of before, or none. */
export function countRewritten(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): number {
  const left = [...before.keys()].filter((user) => !after.get(user) || after.get(user) === before.get(user));
  if (left.length > 0)
    throw new Error(`${left.length} tokens were not replaced: ${left.slice(0, 5).join(', ')}`);
  return after.size;
}
