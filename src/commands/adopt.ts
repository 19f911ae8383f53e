// `latchkey adopt --restored`: hands the namespaces that a restored backup left without an owner to the Users of today.
import { ANNOTATION, LABEL, NAMESPACE_MADE } from '../api/names.ts';
import type { User } from '../api/user.ts';
import { holder } from '../domain/claimants.ts';
import { effectiveNamespace } from '../domain/effective.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { listAll } from '../kubernetes/list.ts';
import { NAMESPACES, USERS, type CachedNamespace } from '../observation/views.ts';
import { endSession } from './end-session.ts';

export interface AdoptCommand {
  readonly client: KubernetesClient;
  readonly out: (line: string) => void;
}

/**
 * A restore gives every object a new UID, so the label on a namespace names a User that is gone. Only namespaces that
 * Latchkey made, whose User is gone, and that a User of today claims, change hands. The new owner has no session.
 */
export async function adoptRestored({ client, out }: AdoptCommand): Promise<void> {
  const users = (await listAll(client, USERS)).objects.map(({ user }) => user);
  const living = new Set(users.map(({ metadata }) => metadata.uid));
  const orphans = (await listAll(client, NAMESPACES)).objects.filter(
    ({ kind, userUID }) => kind === NAMESPACE_MADE && userUID !== undefined && !living.has(userUID),
  );
  let adopted = 0;
  for (const namespace of orphans) {
    const owner = holder(users.filter((user) => effectiveNamespace(user) === namespace.name));
    if (!owner) {
      out(`${namespace.name}: no User claims it; left alone`);
      continue;
    }
    // A status that was restored with the User may hold a session of the time before.
    await endSession(client, owner.metadata.name);
    await handOver(client, namespace, owner);
    adopted += 1;
    out(`${namespace.name}: handed to the User ${owner.metadata.name}`);
  }
  out(`${adopted} of ${orphans.length} orphaned namespaces have an owner again.`);
}

async function handOver(client: KubernetesClient, namespace: CachedNamespace, owner: User): Promise<void> {
  const { name, uid, resourceVersion } = namespace;
  await client.request({
    method: 'PATCH',
    path: `${NAMESPACES.path}/${name}`,
    contentType: 'application/merge-patch+json',
    body: {
      metadata: {
        uid,
        resourceVersion,
        labels: { [LABEL.userUID]: owner.metadata.uid },
        annotations: { [ANNOTATION.user]: owner.metadata.name },
      },
    },
  });
}
