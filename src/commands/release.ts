// `latchkey release`: lets a CustomResourceDefinition that is being deleted go, without offboarding anybody.
import { USERS_CRD } from '../api/names.ts';
import { LatchkeyError } from '../errors.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { listAll } from '../kubernetes/list.ts';
import type { RawObject } from '../kubernetes/resource.ts';
import { USER_DEFINITION, USERS } from '../observation/views.ts';
import { stripFinalizer } from './strip-finalizer.ts';

export interface ReleaseCommand {
  readonly client: KubernetesClient;
  readonly out: (line: string) => void;
}

/** `NotDeleting`: the definition stands, so its Users are offboarded one by one. `NotInstalled`: there is none. */
export class ReleaseError extends LatchkeyError<'NotDeleting' | 'NotInstalled'> {}

/**
 * Takes Latchkey's finalizer from every User, so that the Users and their CustomResourceDefinition go. The namespaces
 * stay: they are older than any definition that comes after, by which the operator knows that nobody meant them.
 * @throws {ReleaseError}
 */
export async function release({ client, out }: ReleaseCommand): Promise<void> {
  const definition = await unlessGone(() =>
    client.request<RawObject>({ method: 'GET', path: `${USER_DEFINITION.path}/${USERS_CRD}` }),
  );
  if (!definition)
    throw new ReleaseError(
      'NotInstalled',
      `There is no CustomResourceDefinition ${USERS_CRD} in this cluster, so nothing has to be released.`,
    );
  if (definition.metadata.deletionTimestamp === undefined)
    throw new ReleaseError(
      'NotDeleting',
      `The CustomResourceDefinition ${USERS_CRD} is not being deleted, so nothing is released. To offboard a user, delete the User.`,
    );
  const { objects } = await listAll(client, USERS);
  let released = 0;
  for (const { name } of objects) {
    if (await stripFinalizer(client, name)) released += 1;
  }
  out(`${released} of ${objects.length} Users are released. Their namespaces stay as they are.`);
  out('Install Latchkey again, make the Users anew, and run "latchkey adopt --restored".');
}

async function unlessGone<T>(attempt: () => Promise<T>): Promise<T | undefined> {
  try {
    return await attempt();
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}
