// `latchkey uninstall`: takes away what the operator has made, before Helm takes away the operator.
import { NAMESPACE_MADE } from '../../api/names.ts';
import { SIGNING_KEYS_SECRET } from '../../controllers/signing-keys/secret.ts';
import { SERVING_SECRET } from '../../controllers/serving-certificate/serving-certificate.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { deleteForGood, deleteIfThere } from '../../kubernetes/delete.ts';
import { secretsPath } from '../../kubernetes/kept-secret.ts';
import { listAll } from '../../kubernetes/list.ts';
import { NAMESPACES, USERS, type CachedUser } from '../../observation/views.ts';
import { endEverySession } from '../end-every-session.ts';
import { stripPolicy, stripUser } from '../strip-finalizer.ts';
import { holdOff } from './hold-off.ts';
import { isOurs, LEFTOVERS } from './leftovers.ts';

/** The API server serves about this many writes of one client at once before they only wait. */
const IN_FLIGHT = 32;

export interface UninstallCommand {
  readonly client: KubernetesClient;
  readonly out: (line: string) => void;
}

export interface UninstallOptions {
  /** The operator's. */
  readonly namespace: string;
  /** Whether the namespaces go that Latchkey has made; those that were handed over never do. */
  readonly deleteNamespaces: boolean;
}

/**
 * Users and the TokenPolicy stay, as an admin has written them. May be run again after an interruption: each step
 * looks at what is there.
 * @throws {ApiError} where the caller may not do it
 */
export async function uninstall(
  { client, out }: UninstallCommand,
  { namespace, deleteNamespaces }: UninstallOptions,
): Promise<void> {
  const owner = await holdOff({ client, namespace, out });
  // Else a new installation would give the tokens back, and nobody would have to sign in.
  await endEverySession(client).catch(unlessMissing);

  const users = await listAll(client, USERS).then(({ objects }) => objects, noneWithoutCrd);
  const namespaces = (await listAll(client, NAMESPACES)).objects;
  const made = namespaces.filter(({ kind }) => kind === NAMESPACE_MADE);
  const ours = isOurs(namespaces, users);

  for (const { what, resource, pathOf } of LEFTOVERS) {
    const found = (await listAll(client, resource)).objects.filter(ours);
    await inParallel(found, (leftover) => deleteForGood(client, pathOf(leftover), leftover));
    out(`${found.length} ${what} are gone.`);
  }

  await inParallel(users, ({ name }) => stripUser(client, name));
  await stripPolicy(client);
  out(`${users.length} Users, and the TokenPolicy, no longer wait for Latchkey when they are deleted.`);

  if (deleteNamespaces) {
    await inParallel(made, ({ name, uid }) => deleteIfThere(client, `${NAMESPACES.path}/${name}`, uid));
    out(`${made.length} namespaces that Latchkey has made are being deleted.`);
  } else if (made.length > 0) out(`${made.length} namespaces that Latchkey has made are left alone.`);

  for (const name of [SIGNING_KEYS_SECRET, SERVING_SECRET]) {
    const path = `${secretsPath(namespace)}/${name}`;
    await client.request({ method: 'DELETE', path }).catch(unlessMissing);
  }
  out(
    owner
      ? 'Run "helm uninstall" within the hour; until then the operator is kept from work.'
      : `The operator is kept from work for an hour. The Lease in the namespace ${namespace} goes with the namespace.`,
  );
}

/** An admin may have deleted the CRDs already. */
function noneWithoutCrd(error: unknown): readonly CachedUser[] {
  unlessMissing(error);
  return [];
}

function unlessMissing(error: unknown): void {
  if (!hasStatus(error, 404)) throw error;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      // All of them take from one iterator.
      for (const item of waiting) await work(item);
    }),
  );
}
