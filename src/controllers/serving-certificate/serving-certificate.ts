// The certificate that Latchkey makes for its own HTTPS server, as every replica has it, and the leader's care for it.
import { keyOf, Store, type Stored } from '../../kubernetes/store.ts';
import { reflect, type ReflectorOptions } from '../../kubernetes/reflector.ts';
import type { RawObject, Resource } from '../../kubernetes/resource.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import {
  makeSecret,
  readSecret,
  secretsPath,
  writeSecret,
  type KeptSecret,
  type SecretObject,
} from '../../kubernetes/kept-secret.ts';
import { retryConflicts } from '../../kubernetes/retry-conflicts.ts';
import {
  newServingCertificate,
  renewalDueAt,
  renewed,
  type ServingCertificate,
} from '../../tls/serving-certificate.ts';
import { parseServing, serialiseServing, ServingCertificateError } from '../../tls/serving-document.ts';
import { lookAgainAt, type Tended } from '../tend.ts';

export const SERVING_SECRET = 'latchkey-tls';

export interface ServingCertificateOptions extends ReflectorOptions {
  readonly client: KubernetesClient;
  /** The operator's. */
  readonly namespace: string;
  /** DNS names and IP addresses that it is for. */
  readonly hosts: readonly string[];
  /** Where it is wrong, nothing is signed: a certificate of tomorrow is refused today. */
  readonly clockIsRight: () => boolean;
}

export interface KeptServingCertificate extends Tended {
  /** Resolves when the Secret has been read, and made where there was none; or when `signal` aborts. Never rejects. */
  start(): Promise<void>;
  /** The latest that could be used, even where the Secret has been damaged or deleted since. */
  current(): ServingCertificate | undefined;
  /** For the leader: makes it where there is none, and renews it. */
  tend(now: Date): Promise<Date>;
}

interface Cached extends Stored {
  readonly content: ServingCertificate | ServingCertificateError;
}

/**
 * Whichever replica is first makes it, the leader renews it, and all take up what lies in the Secret. A damaged Secret
 * is left as it is, since somebody has put it there, and is said loudly; what was good before goes on being used.
 */
export function servingCertificate({
  client,
  namespace,
  hosts,
  clockIsRight,
  ...watching
}: ServingCertificateOptions): KeptServingCertificate {
  const { log, signal } = watching;
  const kept: KeptSecret = { client, namespace, name: SERVING_SECRET, type: 'kubernetes.io/tls' };
  const store = new Store<Cached>();
  const listeners: (() => void)[] = [];
  let usable: ServingCertificate | undefined;
  store.onChange((_, after) => {
    if (!after)
      log.warn(
        { secret: SERVING_SECRET },
        'the certificate was deleted; the old one stays in use until there is a new one',
      );
    else if (after.content instanceof ServingCertificateError)
      log.error({ err: after.content, secret: SERVING_SECRET }, 'the old certificate stays in use');
    else usable = after.content;
    for (const listener of listeners) listener();
  });
  const content = () => store.get(keyOf({ namespace, name: SERVING_SECRET }))?.content;

  async function make(now: Date): Promise<void> {
    const { secret, mine } = await makeSecret(
      kept,
      serialiseServing(await newServingCertificate(hosts, now)),
    );
    store.merge(view(secret));
    if (mine) log.info({ secret: SERVING_SECRET, hosts }, 'made a certificate');
  }

  async function renew(now: Date): Promise<void> {
    const secret = await retryConflicts(async () => {
      const live = await readSecret(kept);
      const before = parseServing(live.data);
      // Another leader may have been here a moment ago.
      if (renewalDueAt(before, hosts) > now) return live;
      return writeSecret(kept, live, serialiseServing(await renewed(before, hosts, now)));
    });
    store.merge(view(secret));
    log.info({ secret: SERVING_SECRET, hosts }, 'renewed the certificate');
  }

  return {
    async start() {
      const { synced, done } = reflect(client, servingResource(namespace), store, watching);
      await Promise.race([synced, done]);
      if (signal.aborted || content() !== undefined || !clockIsRight()) return;
      await make(new Date()).catch((error: unknown) =>
        log.error({ err: error }, 'no certificate could be made'),
      );
    },
    current: () => usable,
    onChange: (listener) => void listeners.push(listener),
    async tend(now) {
      try {
        const known = content();
        if (!clockIsRight()) return lookAgainAt(undefined, now);
        if (known === undefined && store.resourceVersion !== undefined) await make(now);
        else if (known && !(known instanceof ServingCertificateError) && renewalDueAt(known, hosts) <= now)
          await renew(now);
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, 'the certificate could not be kept; trying again');
        return lookAgainAt(undefined, now);
      }
      const known = content();
      const due =
        known && !(known instanceof ServingCertificateError) ? renewalDueAt(known, hosts) : undefined;
      return lookAgainAt(due, now);
    },
  };
}

function servingResource(namespace: string): Resource<Cached> {
  return {
    name: 'serving-certificate',
    path: secretsPath(namespace),
    fieldSelector: `metadata.name=${SERVING_SECRET}`,
    view,
  };
}

function view(object: RawObject): Cached {
  const { name, namespace = '', uid, resourceVersion } = object.metadata;
  return { name, namespace, uid, resourceVersion, content: contentOf(object) };
}

function contentOf({ data }: SecretObject): Cached['content'] {
  try {
    return parseServing(data);
  } catch (error) {
    if (error instanceof ServingCertificateError) return error;
    throw error;
  }
}
