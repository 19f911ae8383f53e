// Makes Users that have signed in, by the thousand, as an admin: the operator finds them at its start and does the rest.
import { randomUUID } from 'node:crypto';
import { API_VERSION, FINALIZER, POLICY_NAME } from '../src/api/names.ts';
import type { TokenPolicy } from '../src/api/token-policy.ts';
import type { User } from '../src/api/user.ts';
import { startSession } from '../src/domain/session.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { listAll } from '../src/kubernetes/list.ts';
import { POLICIES, USERS } from '../src/observation/views.ts';
import type { Scale } from './scale.ts';

const IN_FLIGHT = 48;

/** The name of the User with that number, and of its namespace. */
const userName = (index: number) => `u${String(index).padStart(5, '0')}`;

/** Of the Users numbered below `to`. */
export const userNames = (to: number) => Array.from({ length: to }, (_, index) => userName(index));

/** Of those who come to sign in with a password. */
export const visitorNames = ({ signIns: { warmUp, alone, together } }: Scale) =>
  Array.from({ length: warmUp + alone + together }, (_, index) => `ldap-${index}`);

/** Makes the Users numbered from `from` to just below `to`. The policy must have its epoch. */
export function seedUsers(client: KubernetesClient, from: number, to: number): Promise<void> {
  return forEach(client, from, to, (policy, name) => seedUser(client, policy, name));
}

/**
 * Signs the Users numbered below `to` in anew, after every session has ended; what else their status says stands. An
 * operator may run.
 */
export async function signInAgain(client: KubernetesClient, to: number): Promise<void> {
  const { objects } = await listAll(client, USERS);
  const users = new Map(objects.map(({ name, user }) => [name, user]));
  await forEach(client, 0, to, async (policy, name) => {
    const user = users.get(name);
    if (!user) throw new Error(`there is no User ${name}`);
    await client.request({
      method: 'PATCH',
      path: `${USERS.path}/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { session: sessionOf(user, policy) } },
    });
  });
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
  await client.request({
    method: 'PUT',
    path: `${USERS.path}/${name}/status`,
    body: { ...user, status: { session: sessionOf(user, policy) } },
  });
}

const sessionOf = (user: User, policy: TokenPolicy) => startSession(user, policy, randomUUID(), new Date());
