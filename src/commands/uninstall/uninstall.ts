// `latchkey uninstall`: takes away what the operator has made, before Helm takes away the operator.
import { READER_ROLE, TOKEN_SECRET } from '../../api/names.ts';
import { SIGNING_KEYS_SECRET } from '../../controllers/signing-keys/secret.ts';
import { SERVING_SECRET } from '../../controllers/serving-certificate/serving-certificate.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { deleteForGood, deleteIfThere } from '../../kubernetes/delete.ts';
import { secretsPath } from '../../kubernetes/kept-secret.ts';
import { listAll } from '../../kubernetes/list.ts';
import { BINDINGS, NAMESPACES, SECRETS, USERS, type CachedUser } from '../../observation/views.ts';
import { endEverySession } from '../end-every-session.ts';
import { stripFinalizer } from '../strip-finalizer.ts';
import { holdOff } from './hold-off.ts';

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
  const made = new Map(namespaces.filter(({ kind }) => kind === 'made').map((each) => [each.name, each]));
  const known = new Set(users.map(({ user }) => user.status?.secretUID));
  const isOurs = ({ namespace: place = '', userUID }: { namespace?: string; userUID: string | undefined }) =>
    made.has(place) || userUID !== undefined;

  const secrets = (await listAll(client, SECRETS)).objects.filter(
    (secret) => isOurs(secret) || known.has(secret.uid),
  );
  await inParallel(secrets, (secret) =>
    deleteForGood(client, `${secretsPath(secret.namespace ?? '')}/${TOKEN_SECRET}`, secret),
  );
  out(`${secrets.length} Secrets ${TOKEN_SECRET} are gone.`);

  const bindings = (await listAll(client, BINDINGS)).objects.filter(isOurs);
  await inParallel(bindings, ({ namespace: place = '', uid }) =>
    deleteIfThere(client, `${rolesPath(place)}/${READER_ROLE}`, uid),
  );
  out(`${bindings.length} RoleBindings ${READER_ROLE} are gone.`);

  await inParallel(users, ({ name }) => stripFinalizer(client, name));
  out(`${users.length} Users no longer wait for Latchkey when they are deleted.`);

  if (deleteNamespaces) {
    await inParallel([...made.values()], ({ name, uid }) =>
      deleteIfThere(client, `${NAMESPACES.path}/${name}`, uid),
    );
    out(`${made.size} namespaces that Latchkey has made are being deleted.`);
  } else if (made.size > 0) out(`${made.size} namespaces that Latchkey has made are left alone.`);

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

const rolesPath = (namespace: string) =>
  `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;

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
