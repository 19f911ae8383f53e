// Who may ask this replica about tokens, as its watch of the callers' Secret tells: one that is removed is out at once.
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { reflect, type ReflectorOptions } from '../../kubernetes/reflector.ts';
import type { RawObject, Resource } from '../../kubernetes/resource.ts';
import { keyOf, Store, type Stored } from '../../kubernetes/store.ts';
import { CALLERS_SECRET } from './secret.ts';
import { callerOf, parseDigest } from './token.ts';

/** Longer than any token of a caller. */
const LONGEST = 256;

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

/** @returns the name of the caller; undefined where the credentials are not those of one */
export type AuthenticateCaller = (credentials: CallerCredentials) => string | undefined;

export interface Callers {
  readonly authenticate: AuthenticateCaller;
  /** Resolves when the Secret has been read, whether or not there is one; or when `signal` aborts. */
  start(): Promise<void>;
}

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
  return {
    authenticate({ token, name }) {
      if (token.length > LONGEST) return undefined;
      const known = store.get(keyOf({ namespace, name: CALLERS_SECRET }))?.digests ?? none;
      const found = callerOf(token, known);
      return name === undefined || name === found ? found : undefined;
    },
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
