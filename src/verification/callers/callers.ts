// Who may ask this replica about tokens, as its watch of the callers' Secret tells: one that is removed is out at once.
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { FRESH_MS, freshness, type Freshness } from '../../kubernetes/freshness.ts';
import { ageMs, instant, type Instant } from '../../kubernetes/instant.ts';
import { reflect, type ReflectorOptions } from '../../kubernetes/reflector.ts';
import type { RawObject, Resource } from '../../kubernetes/resource.ts';
import { keyOf, Store, type Stored } from '../../kubernetes/store.ts';
import { singleFlight } from '../single-flight.ts';
import { CALLERS_SECRET, readCallersSecret } from './secret.ts';
import { callerOf, parseDigest } from './token.ts';

/** Longer than any token of a caller. */
const LONGEST = 256;
/** A caller that waits longer than this has given up. */
const READ_TIMEOUT_MS = 2_000;

interface CachedCallers extends Stored {
  readonly digests: ReadonlyMap<string, Buffer>;
  /** Entries that were not written by `latchkey callers add`. */
  readonly unreadable: readonly string[];
}

export interface CallerCredentials {
  readonly token: string;
  /** Where the caller says its name, too. */
  readonly name?: string;
}

export type CallerVerdict =
  | { readonly outcome: 'Known'; readonly name: string }
  | { readonly outcome: 'Stranger' }
  /** It was a caller a while ago; whether it still is cannot be found out now. */
  | { readonly outcome: 'Undecided' };

/** Never rejects. */
export type AuthenticateCaller = (credentials: CallerCredentials) => Promise<CallerVerdict>;

export interface Callers {
  readonly authenticate: AuthenticateCaller;
  /** How current the callers are: one that is removed must not go on asking because a watch has stalled. */
  readonly freshness: Freshness;
  /** Resolves when the Secret has been read, whether or not there is one; or when `signal` aborts. */
  start(): Promise<void>;
}

/**
 * A caller is known by a Secret that is proven younger than five seconds, or was read so lately. A stranger costs the
 * API server nothing: whoever was added a moment ago is one until the watch tells.
 */
export function watchCallers({
  client,
  namespace,
  ...watching
}: ReflectorOptions & {
  readonly client: KubernetesClient;
  /** The operator's. */
  readonly namespace: string;
}): Callers {
  const { log } = watching;
  const store = new Store<CachedCallers>();
  store.onChange((_, after) => {
    log.info({ callers: after ? [...after.digests.keys()] : [] }, 'callers');
    if (after && after.unreadable.length > 0)
      log.error(
        { secret: CALLERS_SECRET, entries: after.unreadable },
        'entries that nobody can use: remove them with "latchkey callers remove", and add them again',
      );
  });
  const none: ReadonlyMap<string, Buffer> = new Map();
  const proof = freshness(client, callersResource(namespace), store, watching);
  let readAt: Instant | undefined;
  /** One reading is for all who ask meanwhile. @returns whether there is such a Secret */
  const readOnce = singleFlight(async () => {
    const began = instant();
    const secret = await readCallersSecret({ client, namespace }, READ_TIMEOUT_MS);
    if (!secret) return false;
    store.merge(callersView(secret));
    readAt = began;
    return true;
  });
  const isCurrent = () => proof.isProven() || (readAt !== undefined && ageMs(readAt) < FRESH_MS);

  function find({ token, name }: CallerCredentials): string | undefined {
    if (token.length > LONGEST) return undefined;
    const known = store.get(keyOf({ namespace, name: CALLERS_SECRET }))?.digests ?? none;
    const found = callerOf(token, known);
    return name === undefined || name === found ? found : undefined;
  }

  return {
    async authenticate(credentials) {
      const known = find(credentials);
      if (known === undefined) return { outcome: 'Stranger' };
      if (isCurrent()) return { outcome: 'Known', name: known };
      try {
        if (!(await readOnce('', undefined))) return { outcome: 'Stranger' };
      } catch (error) {
        log.debug({ err: error }, 'a caller could not be checked');
        return { outcome: 'Undecided' };
      }
      const name = find(credentials);
      return name === undefined ? { outcome: 'Stranger' } : { outcome: 'Known', name };
    },
    freshness: proof,
    async start() {
      const { synced, done } = reflect(client, callersResource(namespace), store, watching);
      await Promise.race([synced, done]);
    },
  };
}

function callersResource(namespace: string): Resource<CachedCallers> {
  return {
    name: 'callers',
    path: `/api/v1/namespaces/${namespace}/secrets`,
    fieldSelector: `metadata.name=${CALLERS_SECRET}`,
    view: callersView,
  };
}

function callersView({ metadata, ...content }: RawObject): CachedCallers {
  const { name, namespace = '', uid, resourceVersion } = metadata;
  const { data = {} } = content as { data?: Readonly<Record<string, string>> };
  const parsed = Object.entries(data).map(
    ([caller, value]) => [caller, parseDigest(Buffer.from(value, 'base64').toString('utf8'))] as const,
  );
  return {
    name,
    namespace,
    uid,
    resourceVersion,
    digests: new Map(parsed.flatMap(([caller, kept]) => (kept ? [[caller, kept] as const] : []))),
    unreadable: parsed.filter(([, kept]) => !kept).map(([caller]) => caller),
  };
}
