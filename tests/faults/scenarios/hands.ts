// Somebody lays hands on Secrets, RoleBindings and namespaces, while the operator runs and while none does.
import { expect } from '@jest/globals';
import { waitUntil } from '../../../dev/wait-until.ts';
import type { ApiRequest } from '../../../src/kubernetes/client.ts';
import { hasStatus } from '../../../src/kubernetes/api-error.ts';
import { insist, mergePatch } from '../harness/admin.ts';
import type { Field } from '../harness/field.ts';
import { UNTOUCHED, withMischief } from '../harness/mischief.ts';

const secret = (name: string) => `/api/v1/namespaces/${name}/secrets/access-token`;
const binding = (name: string) =>
  `/apis/rbac.authorization.k8s.io/v1/namespaces/${name}/rolebindings/latchkey-read-access-token`;
const FINALIZERS = { metadata: { finalizers: ['example.org/mine'] } };
const NAMESPACE_MS = 60_000;

type Hand = (name: string) => readonly ApiRequest[];

const HANDS: Readonly<Record<string, Hand>> = {
  'edits the token': (name) => [mergePatch(secret(name), { stringData: { AUTH_TOKEN: 'forged' } })],
  'adds a key': (name) => [mergePatch(secret(name), { stringData: { extra: 'x' } })],
  'takes the labels and annotations away': (name) => [
    mergePatch(secret(name), { metadata: { labels: null, annotations: null } }),
  ],
  'makes the Secret immutable': (name) => [mergePatch(secret(name), { immutable: true })],
  'gives the Secret a finalizer': (name) => [mergePatch(secret(name), FINALIZERS)],
  'makes it immutable, with a finalizer, and deletes it': (name) => [
    mergePatch(secret(name), { ...FINALIZERS, immutable: true }),
    { method: 'DELETE', path: secret(name) },
  ],
  'deletes the Secret': (name) => [{ method: 'DELETE', path: secret(name) }],
  'deletes the RoleBinding': (name) => [{ method: 'DELETE', path: binding(name) }],
  'lets somebody else read': (name) => [
    mergePatch(binding(name), {
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
    }),
  ],
};

async function lay({ admin, journal }: Field, name: string, hand: Hand): Promise<void> {
  journal.disturbed(name);
  for (const request of hand(name)) await insist(admin, request);
  journal.disturbed(name);
}

/** It takes a namespace its time to go, and only then can it be made anew. */
async function deleteNamespace({ admin, journal }: Field, name: string): Promise<void> {
  const path = `/api/v1/namespaces/${name}`;
  const uid = async () => {
    try {
      return (await admin.request<{ metadata: { uid: string } }>({ method: 'GET', path })).metadata.uid;
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  };
  const before = await uid();
  await insist(admin, { method: 'DELETE', path });
  await waitUntil(`the namespace ${name} to be made anew`, NAMESPACE_MS, async () => {
    journal.disturbed(name);
    const now = await uid();
    return now !== undefined && now !== before;
  });
}

/** Everything that can be done to what is somebody's, each to another one. */
async function layAll(field: Field, names: readonly string[]): Promise<void> {
  const hands = Object.values(HANDS);
  expect(names.length).toBeGreaterThanOrEqual(hands.length);
  await Promise.all(hands.map((hand, place) => lay(field, names[place] ?? '', hand)));
}

export async function handsAreLaidOn(field: Field): Promise<void> {
  const untouched = field.names.slice(field.withPassword.length).slice(0, UNTOUCHED);
  await withMischief(field, async () => {
    await layAll(field, untouched);
    await deleteNamespace(field, untouched[UNTOUCHED - 1] ?? '');
    // While no operator runs nobody puts it right, and nobody sees it happen.
    await field.outage('NoLeader', async () => {
      for (const replica of field.replicas.all.slice()) await field.replicas.kill(replica);
      await layAll(field, untouched.slice(Object.keys(HANDS).length));
      await field.replicas.start();
      await field.replicas.untilLeading();
    });
    await field.untilDue();
  });
}
