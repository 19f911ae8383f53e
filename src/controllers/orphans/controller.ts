// Collects the namespaces of Users that vanished while nobody watched, once the API server itself says that they are gone.
import type { Logger } from 'pino';
import { TOKEN_SECRET } from '../../api/names.ts';
import { isOrphan, looksLikeAnAccident } from '../../domain/orphans.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { deleteIfThere } from '../../kubernetes/delete.ts';
import type { RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { NAMESPACES, USERS, type CachedNamespace } from '../../observation/views.ts';
import { WorkQueue } from '../queue.ts';

export interface OrphansControllerOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly isLeading: () => boolean;
  readonly log: Logger;
}

export interface OrphansController {
  run(signal: AbortSignal): Promise<void>;
}

export function orphansController({
  client,
  caches,
  isLeading,
  log,
}: OrphansControllerOptions): OrphansController {
  const orphaned = (namespace: CachedNamespace) =>
    isOrphan({
      namespace,
      ownerLives: namespace.userUID !== undefined && caches.byUID.get(namespace.userUID).size > 0,
      claimed: caches.byNamespace.get(namespace.name).size > 0,
    });

  const queue = new WorkQueue({
    concurrency: 4,
    async work(name) {
      const namespace = caches.namespaces.get(name);
      if (!namespace || namespace.deleting || !orphaned(namespace) || !isLeading()) return;
      const made = [...caches.namespaces.values()].filter(({ kind }) => kind === 'made');
      const orphans = made.filter(orphaned);
      if (looksLikeAnAccident(orphans.length, made.length)) {
        log.error(
          { event: 'OrphansHeld', orphans: orphans.length, namespaces: made.length },
          'so many Users have vanished that nothing is collected: restore them, or delete the namespaces by hand',
        );
        return;
      }
      // A User that was made a moment ago may claim the namespace, and the cache not know it yet.
      if (!caches.userFreshness.isProven()) throw new Error('the cache of Users is not proven fresh yet');
      if (await lives(namespace)) return;
      await collect(namespace);
    },
    onFailure(name, error, pauseMs) {
      log.info({ namespace: name, err: error, pauseMs }, 'an orphaned namespace is looked at again');
    },
  });

  async function lives({ userName, userUID }: CachedNamespace): Promise<boolean> {
    if (userName === undefined) return true; // Not as we make them: somebody has changed it, so it is left alone.
    try {
      const user = await client.request<RawObject>({ method: 'GET', path: `${USERS.path}/${userName}` });
      return user.metadata.uid === userUID;
    } catch (error) {
      if (hasStatus(error, 404)) return false;
      throw error;
    }
  }

  async function collect({ name, uid }: CachedNamespace): Promise<void> {
    log.warn(
      { event: 'OrphanCollected', namespace: name },
      'the User of this namespace is gone; deleting it',
    );
    // The token first: a namespace takes its time.
    const secret = caches.secrets.get(`${name}/${TOKEN_SECRET}`);
    if (secret) await deleteIfThere(client, `/api/v1/namespaces/${name}/secrets/${TOKEN_SECRET}`, secret.uid);
    await deleteIfThere(client, `${NAMESPACES.path}/${name}`, uid);
  }

  caches.namespaces.onChange((_, after) => {
    if (after?.kind === 'made') queue.add(after.name);
  });
  caches.users.onChange((before, after) => {
    if (!before || before.uid === after?.uid) return;
    for (const namespace of caches.namespaces.values())
      if (namespace.userUID === before.uid) queue.add(namespace.name);
  });

  return {
    async run(signal) {
      for (const { name, kind } of caches.namespaces.values()) if (kind === 'made') queue.add(name);
      await queue.run(signal);
    },
  };
}
