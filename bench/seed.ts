// Makes Users that have signed in, by the thousand, as an admin: the operator finds them at its start and does the rest.
import { randomUUID } from 'node:crypto';
import { API_VERSION, FINALIZER, POLICY_NAME } from '../src/api/names.ts';
import type { TokenPolicy } from '../src/api/token-policy.ts';
import type { User } from '../src/api/user.ts';
import { startSession } from '../src/domain/session.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { retryConflicts } from '../src/kubernetes/retry-conflicts.ts';
import { POLICIES, USERS } from '../src/observation/views.ts';

const IN_FLIGHT = 48;

/** The name of the User with that number, and of its namespace. */
export const userName = (index: number) => `u${String(index).padStart(5, '0')}`;

/** Makes the Users numbered from `from` to just below `to`. The policy must have its epoch. */
export function seedUsers(client: KubernetesClient, from: number, to: number): Promise<void> {
  return forEach(client, from, to, (policy, name) => seedUser(client, policy, name));
}

/**
 * Signs the Users numbered below `to` in anew, after every session has ended; what else their status said is gone. An
 * operator may run.
 */
export function signInAgain(client: KubernetesClient, to: number): Promise<void> {
  return forEach(client, 0, to, (policy, name) =>
    retryConflicts(async () =>
      beginSession(
        client,
        policy,
        await client.request<User>({ method: 'GET', path: `${USERS.path}/${name}` }),
      ),
    ),
  );
}

/**
 * Forgets what a directory of an earlier part has said of Users: to them the accounts of the next one are others under
 * the same names.
 */
export async function forgetDirectory(client: KubernetesClient, users: readonly User[]): Promise<void> {
  const left = users.filter(({ status }) => status?.directory !== undefined);
  const worker = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop())
      await client.request({
        method: 'PATCH',
        path: `${USERS.path}/${next.metadata.name}/status`,
        contentType: 'application/merge-patch+json',
        body: { status: { directory: null } },
      });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function forEach(
  client: KubernetesClient,
  from: number,
  to: number,
  act: (policy: TokenPolicy, name: string) => Promise<void>,
): Promise<void> {
  const policy = await client.request<TokenPolicy>({
    method: 'GET',
    path: `${POLICIES.path}/${POLICY_NAME}`,
  });
  let next = from;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < to; index = next++) await act(policy, userName(index));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function seedUser(client: KubernetesClient, policy: TokenPolicy, name: string): Promise<void> {
  const user = await client.request<User>({
    method: 'POST',
    path: USERS.path,
    body: {
      apiVersion: API_VERSION,
      kind: 'User',
      metadata: { name, finalizers: [FINALIZER] },
      spec: {
        email: `${name}@example.org`,
        displayName: `Bench ${name}`,
        groups: ['analytics', 'engineering', 'everyone'],
      },
    },
  });
  await beginSession(client, policy, user);
}

async function beginSession(client: KubernetesClient, policy: TokenPolicy, user: User): Promise<void> {
  await client.request({
    method: 'PUT',
    path: `${USERS.path}/${user.metadata.name}/status`,
    body: { ...user, status: { session: startSession(user, policy, randomUUID(), new Date()) } },
  });
}
