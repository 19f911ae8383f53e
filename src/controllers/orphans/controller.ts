// Collects what is left of Users that vanished while nobody watched, once the API server itself says that they are gone.
import type { Logger } from 'pino';
import { READER_ROLE, TOKEN_SECRET } from '../../api/names.ts';
import { looksLikeAnAccident, orphan } from '../../domain/orphans.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { deleteIfThere } from '../../kubernetes/delete.ts';
import type { RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { NAMESPACES, USERS, type CachedNamespace } from '../../observation/views.ts';
import { WorkQueue, type QueueView } from '../queue.ts';

const CONCURRENCY = 4;

export interface OrphansControllerOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly isLeading: () => boolean;
  readonly log: Logger;
}

export interface OrphansController {
  readonly queue: QueueView;
  run(signal: AbortSignal): Promise<void>;
}

export function orphansController({
  client,
  caches,
  isLeading,
  log,
}: OrphansControllerOptions): OrphansController {
  const lives = (uid: string) => caches.byUID.get(uid).size > 0;
  const secretOf = (namespace: string) => caches.secrets.get(`${namespace}/${TOKEN_SECRET}`);
  const orphanIn = (namespace: CachedNamespace) =>
    orphan({
      namespace,
      secret: secretOf(namespace.name),
      lives,
      claimed: caches.byNamespace.get(namespace.name).size > 0,
    });

  const queue = new WorkQueue({
    concurrency: CONCURRENCY,
    async work(name) {
      const namespace = caches.namespaces.get(name);
      const what = namespace && !namespace.deleting ? orphanIn(namespace) : undefined;
      if (!namespace || !what || !isLeading()) return;
      if (what === 'Namespace' && isHeld()) return;
      // A User that was made a moment ago may claim the namespace, and the cache not know it yet.
      if (!caches.userFreshness.isProven()) throw new Error('the cache of Users is not proven fresh yet');
      const owner = what === 'Namespace' ? namespace : secretOf(name);
      if (!owner || (await isThere(owner))) return;
      log.warn(
        { event: 'OrphanCollected', namespace: name, what },
        'its User is gone; deleting what was made for it',
      );
      await collectSecret(name);
      if (what === 'Namespace') await deleteIfThere(client, `${NAMESPACES.path}/${name}`, namespace.uid);
    },
    onFailure(name, error, pauseMs) {
      log.info({ namespace: name, err: error, pauseMs }, 'an orphaned namespace is looked at again');
    },
  });

  function isHeld(): boolean {
    const made = [...caches.namespaces.values()].filter(({ kind }) => kind === 'made');
    const orphans = made.filter((namespace) => orphanIn(namespace) === 'Namespace');
    if (!looksLikeAnAccident(orphans.length, made.length)) return false;
    log.error(
      { event: 'OrphansHeld', orphans: orphans.length, namespaces: made.length },
      'so many Users have vanished that nothing is collected: restore them, or delete the namespaces by hand',
    );
    return true;
  }

  async function isThere({
    userName,
    userUID,
  }: {
    userName: string | undefined;
    userUID: string | undefined;
  }) {
    if (userName === undefined) return true; // Not as we make them: somebody has changed it, so it is left alone.
    try {
      const user = await client.request<RawObject>({ method: 'GET', path: `${USERS.path}/${userName}` });
      return user.metadata.uid === userUID;
    } catch (error) {
      if (hasStatus(error, 404)) return false;
      throw error;
    }
  }

  /** The token goes first: a namespace takes its time, or stays. */
  async function collectSecret(namespace: string): Promise<void> {
    const secret = secretOf(namespace);
    if (secret)
      await deleteIfThere(client, `/api/v1/namespaces/${namespace}/secrets/${TOKEN_SECRET}`, secret.uid);
    const binding = caches.bindings.get(`${namespace}/${READER_ROLE}`);
    if (!binding || binding.userUID === undefined || lives(binding.userUID)) return;
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
    await deleteIfThere(client, `${bindings}/${READER_ROLE}`, binding.uid);
  }

  caches.namespaces.onChange((_, after) => {
    if (after) queue.add(after.name);
  });
  caches.users.onChange((before, after) => {
    // A User keeps its namespace for life, and its status names it.
    const namespace = before?.user.status?.namespace;
    if (before && before.uid !== after?.uid && namespace !== undefined) queue.add(namespace);
  });

  return {
    queue,
    async run(signal) {
      for (const { name } of caches.namespaces.values()) queue.add(name);
      await queue.run(signal);
    },
  };
}
