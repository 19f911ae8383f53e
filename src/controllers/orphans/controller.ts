// Collects what is left of Users that vanished while nobody watched, once the API server itself says that they are gone.
import type { Logger } from 'pino';
import { ANCHOR_SECRET, DNS_LABEL, READER_ROLE, TOKEN_SECRET, USERS_CRD } from '../../api/names.ts';
import { effectiveNamespace } from '../../domain/effective.ts';
import type { Tell, Whose } from '../../domain/happening.ts';
import type { Permission } from '../../domain/holds.ts';
import { collectedInMs, USER_GONE } from '../../domain/orphans.ts';
import { decidesAlike } from '../../domain/policy.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { deleteForGood, deleteIfThere } from '../../kubernetes/delete.ts';
import type { RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { NAMESPACES, USERS, type CachedSecret } from '../../observation/views.ts';
import type { Holds } from '../holds/holds.ts';
import type { Permissions } from '../holds/permissions.ts';
import { WorkQueue, type QueueView } from '../queue/queue.ts';
import type { Ledger } from '../users/ledger.ts';
import type { ClearSecret } from './clear-secret.ts';
import { deadAnchorIn, orphanIn, orphans, tokenLeftIn, tokenStuckIn, type Orphan } from './find.ts';
import type { HeldTokens } from './held-token.ts';

const CONCURRENCY = 4;

const secretPath = (namespace: string, name = TOKEN_SECRET) =>
  `/api/v1/namespaces/${namespace}/secrets/${name}`;

export interface OrphansControllerOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly holds: Pick<Holds, 'vanished'>;
  readonly permissions: Permissions;
  readonly ledger: Ledger;
  readonly clearSecret: ClearSecret;
  readonly heldTokens: HeldTokens;
  readonly tell: Tell;
  /** How long a namespace stays after its User was missed for the first time, in milliseconds. */
  readonly graceMs: number;
  readonly isLeading: () => boolean;
  /** The time to decide by. */
  readonly now: () => Date;
  readonly log: Logger;
}

export interface OrphansController {
  readonly queue: QueueView;
  run(signal: AbortSignal): Promise<void>;
}

export function orphansController({
  client,
  caches,
  holds,
  permissions,
  ledger,
  clearSecret,
  heldTokens,
  tell,
  graceMs,
  isLeading,
  now,
  log,
}: OrphansControllerOptions): OrphansController {
  /** By the UID of the namespace, since when it waits to be collected, by the monotonic clock: a new term begins anew. */
  const waiting = new Map<string, number>();

  const queue = new WorkQueue({
    concurrency: CONCURRENCY,
    async work(name) {
      const namespace = caches.namespaces.get(name);
      if (!namespace) return;
      const stuck = tokenStuckIn(caches, namespace);
      if (stuck && isLeading()) await revoke(stuck);
      const found = orphanIn(caches, namespace);
      const anchor = deadAnchorIn(caches, name);
      const token = tokenLeftIn(caches, namespace);
      if (!found) waiting.delete(namespace.uid);
      if (!(found ?? anchor ?? token) || !isLeading()) return;
      const definition = caches.userDefinition.get(USERS_CRD);
      // A User that was made a moment ago may claim the namespace, and the cache not know it yet.
      if (definition && !caches.userFreshness.isProven())
        throw new Error('the cache of Users is not proven fresh yet');
      if (token && !(await isThere(token, definition !== undefined))) return collectSecret(name);
      if (anchor && !found && !(await isThere(anchor, definition !== undefined))) await collectAnchor(name);
      if (!found || (await isThere(found, definition !== undefined))) return;
      holds.vanished(found.userUID);
      const permission = permissions.of('Vanished', found.userUID);
      if (permission?.given) await collect(found, permission);
      if (permission?.given !== false) return;
      // At its floor a token only leaves the Secret: nothing more is taken, so the copies live on, until an admin means them.
      if (heldTokens.isOver(found)) await collectAnchor(name);
      const lookAgainAt = await heldTokens.tend(found, now());
      if (lookAgainAt) queue.addAt(name, lookAgainAt.getTime());
    },
    onFailure(name, error, pauseMs) {
      log.info({ namespace: name, err: error, pauseMs }, 'an orphaned namespace is looked at again');
    },
  });

  /** @param isProven whether the cache knows of all Users; else anyone of that name may claim the namespace. */
  async function isThere(
    { userName, userUID }: { readonly userName: string | undefined; readonly userUID: string | undefined },
    isProven: boolean,
  ): Promise<boolean> {
    // Else it is not as we make them: somebody has changed it, so it is left alone.
    if (userName === undefined || !DNS_LABEL.test(userName)) return true;
    try {
      const user = await client.request<RawObject>({ method: 'GET', path: `${USERS.path}/${userName}` });
      return !isProven || user.metadata.uid === userUID;
    } catch (error) {
      if (hasStatus(error, 404)) return false;
      throw error;
    }
  }

  async function collect(
    { namespace: { name, uid }, what, userUID, userName = name }: Orphan,
    permission: Permission & { given: true },
  ): Promise<void> {
    if (what !== 'Namespace') return collectSecret(name);
    const since = waiting.get(uid) ?? performance.now();
    const leftMs = collectedInMs(permission, performance.now() - since, graceMs);
    // The token goes first: a namespace takes its time, or stays.
    if (leftMs > 0) await emptySecret(name, { metadata: { name: userName, uid: userUID } });
    else await collectSecret(name);
    if (leftMs > 0 && !waiting.has(uid))
      log.warn(
        { event: 'NamespaceOrphaned', namespace: name, leftMs },
        'its User is gone; unless one claims it meanwhile, it is deleted with all that is in it',
      );
    waiting.set(uid, since);
    if (leftMs > 0) return queue.addAt(name, Date.now() + leftMs);
    // They may have gone together: then all of them wait for the same word.
    if (permission.hold === undefined && permissions.holds('Vanished')) return;
    log.warn(
      { event: 'OrphanCollected', namespace: name },
      'its User is gone; deleting what was made for it',
    );
    await deleteIfThere(client, `${NAMESPACES.path}/${name}`, uid);
  }

  async function revoke(secret: CachedSecret): Promise<void> {
    const { uid, namespace = '', userName = namespace, userUID = uid } = secret;
    const held = ledger.held(secret);
    await deleteForGood(client, secretPath(namespace), secret);
    const user = { metadata: { name: userName, uid: userUID } };
    if (held) tell({ what: 'TokenRevoked', user, jti: held.jti, cause: USER_GONE });
    // While a watch has still to tell that it is gone, it is not told twice.
    if (caches.secrets.get(namespace)?.uid === uid) ledger.record(secret, { reason: USER_GONE.reason });
  }

  /** Left in a namespace that waits, the Secret says to the next leader that its User was counted. */
  async function emptySecret(namespace: string, user: Whose): Promise<void> {
    const secret = caches.secrets.get(namespace);
    if (secret && (secret.finalizers || secret.deleting)) await revoke(secret);
    else if (secret && ledger.written(secret)?.reason !== USER_GONE.reason)
      if (!(await clearSecret(secret, user, USER_GONE))) throw new Error('somebody has changed its Secret');
    await collectRights(namespace);
  }

  async function collectSecret(namespace: string): Promise<void> {
    const secret = caches.secrets.get(namespace);
    if (secret) await revoke(secret);
    await collectRights(namespace);
  }

  async function collectRights(namespace: string): Promise<void> {
    await collectAnchor(namespace);
    const binding = caches.bindings.get(namespace);
    if (!binding || binding.userUID === undefined || caches.byUID.get(binding.userUID).length > 0) return;
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
    await deleteIfThere(client, `${bindings}/${READER_ROLE}`, binding.uid);
  }

  async function collectAnchor(namespace: string): Promise<void> {
    const anchor = deadAnchorIn(caches, namespace);
    if (anchor) await deleteForGood(client, secretPath(namespace, ANCHOR_SECRET), anchor);
  }

  caches.namespaces.onChange((before, after) => {
    if (before && before.uid !== after?.uid) waiting.delete(before.uid);
    if (after) queue.add(after.name);
  });
  caches.secrets.onChange((_, after) => {
    const namespace = after?.finalizers ? after.namespace : undefined;
    if (namespace !== undefined && caches.byNamespace.get(namespace).length === 0) queue.add(namespace);
  });
  caches.users.onChange((before, after) => {
    // A User keeps its namespace for life, and its status names it.
    const namespace = before?.user.status?.namespace;
    if (before && before.uid !== after?.uid && namespace !== undefined) queue.add(namespace);
    // One that was restored claims what is not its own.
    const claimed = after && before?.uid !== after.uid ? effectiveNamespace(after.user) : undefined;
    const namespaceClaimed = claimed === undefined ? undefined : caches.namespaces.get(claimed);
    if (
      namespaceClaimed &&
      (deadAnchorIn(caches, namespaceClaimed.name) ?? tokenLeftIn(caches, namespaceClaimed))
    )
      queue.add(namespaceClaimed.name);
  });
  // Whoever switches everything off, or ends every session, means these tokens, too.
  caches.policies.onChange((before, after) => {
    if (decidesAlike(before?.policy, after?.policy)) return;
    for (const { namespace } of orphans(caches)) queue.add(namespace.name);
  });
  permissions.onChange((cause, keys) => {
    if (cause !== 'Vanished') return;
    const changed = new Set(keys);
    for (const { userUID, namespace } of orphans(caches))
      if (changed.has(userUID) || waiting.has(namespace.uid)) queue.add(namespace.name);
  });

  return {
    queue,
    run(signal) {
      waiting.clear();
      return queue.run(signal, () => {
        for (const { name } of caches.namespaces.values()) queue.add(name);
      });
    },
  };
}
