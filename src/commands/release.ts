// `latchkey release`: lets a CustomResourceDefinition that is being deleted go, without offboarding anybody.
import { POLICIES_CRD, USERS_CRD } from '../api/names.ts';
import { LatchkeyError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ifFound } from '../kubernetes/if-found.ts';
import { listAll } from '../kubernetes/list.ts';
import type { RawObject, Resource } from '../kubernetes/resource.ts';
import { POLICY_DEFINITION, USER_DEFINITION, USERS, type CachedDefinition } from '../observation/views.ts';
import { stripPolicy, stripUser } from './strip-finalizer.ts';

export interface ReleaseCommand {
  readonly client: KubernetesClient;
  readonly out: (line: string) => void;
}

/** `NotDeleting`: both definitions stand, and what is theirs goes one by one. `NotInstalled`: there is none. */
export class ReleaseError extends LatchkeyError<'NotDeleting' | 'NotInstalled'> {}

/**
 * Takes Latchkey's finalizer from what goes with a CustomResourceDefinition that is being deleted. The namespaces of
 * Users stay: they are older than any definition that comes after, by which the operator knows that nobody meant them.
 * @throws {ReleaseError}
 */
export async function release(command: ReleaseCommand): Promise<void> {
  const [users, policy] = await Promise.all([
    definition(command, USER_DEFINITION, USERS_CRD),
    definition(command, POLICY_DEFINITION, POLICIES_CRD),
  ]);
  if (!users && !policy)
    throw new ReleaseError(
      'NotInstalled',
      `There is no CustomResourceDefinition ${USERS_CRD} or ${POLICIES_CRD} in this cluster, so nothing has to be released.`,
    );
  if (users?.deletedAt === undefined && policy?.deletedAt === undefined)
    throw new ReleaseError(
      'NotDeleting',
      'The CustomResourceDefinitions of Latchkey are not being deleted, so nothing is released. To offboard a user, delete the User.',
    );
  if (users?.deletedAt !== undefined) await releaseUsers(command);
  if (policy?.deletedAt !== undefined) await releasePolicy(command);
}

async function releaseUsers({ client, out }: ReleaseCommand): Promise<void> {
  const { objects } = await listAll(client, USERS);
  let released = 0;
  for (const { name } of objects) {
    if (await stripUser(client, name)) released += 1;
  }
  out(`${released} of ${objects.length} Users are released. Their namespaces stay as they are.`);
  out('Install Latchkey again, make the Users anew, and run "latchkey adopt --restored".');
}

async function releasePolicy({ client, out }: ReleaseCommand): Promise<void> {
  if (await stripPolicy(client)) out('The TokenPolicy is released, and every token goes with it.');
  out('Install Latchkey again: it makes a TokenPolicy from its settings, and everybody signs in again.');
}

async function definition(
  { client }: ReleaseCommand,
  resource: Resource<CachedDefinition>,
  name: string,
): Promise<CachedDefinition | undefined> {
  const path = `${resource.path}/${name}`;
  const found = await ifFound(client.request<RawObject>({ method: 'GET', path }));
  return found && resource.view(found);
}
