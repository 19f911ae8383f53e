// No mass accident, on a real cluster: what many would lose at once is held until an admin with the verb confirms it.
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runKubectl } from '../../dev/cluster/kubectl.ts';
import { operatorKubeconfig } from '../../dev/latchkey/install.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { restartAfter } from '../support/restart.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PASSWORD = 'correct horse battery staple';
/** A token is replaced after 13 to 23 seconds, and gone after 30 where it cannot be. */
const FLAGS = ['--token-ttl=60s', '--token-min-remaining=30s', '--sign-in-attempts-per-address=1000'];
const DEADLINE_MS = 60_000;
// Each of them waits for more than one thing; on a busy machine half a minute is soon over.
const NEVER_ASKED = 9;

const named = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => `user-${String(first + index).padStart(2, '0')}`);
/** Of each dozen, the last one is signed in: who is held keeps a fresh token. */
const SIGNED_IN = ['user-14', 'user-40'];

const latchkey = await startLatchkey({
  accounts: Object.fromEntries(SIGNED_IN.map((name) => [name, PASSWORD])),
  flags: FLAGS,
});
const folder = temporaryFolder('latchkey-holds');
afterAll(async () => {
  await latchkey.stop();
  folder.remove();
});
const { kubectl, cluster, policy } = latchkey;

async function createUsers(names: readonly string[]): Promise<void> {
  const items = names.map((name) => ({
    apiVersion: 'latchkey.dev/v1alpha1',
    kind: 'User',
    metadata: { name },
    spec: {},
  }));
  await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl([
    'wait',
    '--for=jsonpath={.status.phase}=Pending',
    '--timeout=60s',
    'users.latchkey.dev',
    ...names,
  ]);
  for (const name of names.filter((each) => SIGNED_IN.includes(each))) {
    expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
    await latchkey.untilToken(name);
  }
}

const openHolds = async () => ((await policy()).status?.holds ?? []).filter(({ confirmed }) => !confirmed);
const untilHeld = (affected: (count: number) => boolean) =>
  waitUntil('a hold', DEADLINE_MS, async () => (await openHolds()).find((hold) => affected(hold.affected)));
async function namespacesOf(names: readonly string[]): Promise<string[]> {
  const all = await kubectl([
    'get',
    'namespaces',
    '-o',
    'jsonpath={.items[?(@.status.phase=="Active")].metadata.name}',
  ]);
  return names.filter((name) => all.split(' ').includes(name));
}
const confirmAs = async (kubeconfig: string, id: string) =>
  (await run(process.execPath, [MAIN, 'confirm', id, `--kubeconfig=${kubeconfig}`])).stdout;

const restart = (meanwhile: () => Promise<void> = async () => undefined) =>
  restartAfter(latchkey, meanwhile, { flags: FLAGS });

/** A person with the rights on the TokenPolicy that the verbs name. */
async function person(name: string, ...verbs: string[]): Promise<string> {
  const rules = [
    { apiGroups: ['latchkey.dev'], resources: ['tokenpolicies'], resourceNames: ['cluster'], verbs },
  ];
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: `test-${name}` } };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `test-${name}` };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }];
  for (const object of [
    { ...rbac, kind: 'ClusterRole', rules },
    { ...rbac, kind: 'ClusterRoleBinding', roleRef, subjects },
  ])
    await kubectl(['create', '-f', '-'], JSON.stringify(object));
  return cluster.clientKubeconfig(name);
}

describe('deleting', () => {
  test('three Users at once does not ask', async () => {
    await createUsers(named(0, 30));
    await kubectl(['delete', 'users.latchkey.dev', ...named(0, 3), '--timeout=60s']);
    expect(await namespacesOf(named(0, 3))).toEqual([]);
    expect((await policy()).status?.holds).toBeUndefined();
  });

  test('twelve of thirty at once is held: at most nine are gone, the others keep what they have, and it is said', async () => {
    const dozen = named(3, 12);
    await kubectl(['delete', 'users.latchkey.dev', ...dozen, '--wait=false']);
    const hold = await untilHeld((affected) => affected >= 12 - (NEVER_ASKED - 3));
    expect(hold).toMatchObject({ cause: 'Deleting', confirmed: false });
    const kept = dozen.slice(-hold.affected);
    expect(await namespacesOf(kept)).toEqual(kept);

    const { conditions = [] } = (await policy()).status ?? {};
    expect(conditions.find(({ type }) => type === 'Held')).toMatchObject({
      status: 'True',
      reason: 'Deleting',
      message: expect.stringContaining(`latchkey confirm ${hold.id}`),
    });
    const last = kept.at(-1) ?? '';
    const status = await latchkey.untilStatus(last, (each) => each.hold === hold.id);
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'True',
      reason: 'Held',
      message: expect.stringContaining(`latchkey confirm ${hold.id}`),
    });
    expect(latchkey.operator.log()).toContain('"event":"Held"');
    await waitUntil('the Event', DEADLINE_MS, async () =>
      (
        await kubectl(['get', 'events.events.k8s.io', '-n', 'default', '-o', 'jsonpath={.items[*].note}'])
      ).includes(hold.id),
    );
  });

  test('what is held keeps a session, and a token that stays fresh', async () => {
    const before = await latchkey.untilToken('user-14');
    const after = await waitUntil('a refresh', DEADLINE_MS, async () => {
      const { claims } = await latchkey.untilToken('user-14');
      return (claims.iat ?? 0) > (before.claims.iat ?? 0) && claims;
    });
    expect(after['sid']).toBe(before.claims['sid']);
  });

  test('a restart forgets neither the hold nor who was let go', async () => {
    const [before] = await openHolds();
    const names = await namespacesOf(named(3, 12));
    await restart();
    await waitUntil('the hold to be told of again', DEADLINE_MS, async () =>
      latchkey.operator.log().includes('"event":"Held"'),
    );
    expect(await openHolds()).toEqual([before]);
    expect(await namespacesOf(named(3, 12))).toEqual(names);
  });

  test.each([
    ['unknown', 'b2b2b2'],
    ['that is a path', '../../users'],
    ['that is long', 'x'.repeat(300)],
  ])('nothing is confirmed by an id %s', async (_, id) => {
    await expect(confirmAs(cluster.adminKubeconfig, id)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Nothing is held as (b2b2b2|that)\. What waits: \w{6} \(Deleting/),
    });
    await expect(confirmAs(cluster.adminKubeconfig, '')).rejects.toMatchObject({ code: 2 });
  });

  test('is not confirmed by who may change the policy, nor by the operator: the API server refuses it', async () => {
    const [hold] = await openHolds();
    const id = hold?.id ?? '';
    const bob = await person('bob', 'get', 'update', 'patch');
    await expect(confirmAs(bob, id)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('You may not confirm a hold'),
    });
    const annotate = ['annotate', 'tokenpolicy', 'cluster', `latchkey.dev/confirm=${id}`];
    const as = (kubeconfig: string, args: readonly string[]) =>
      runKubectl({ kubectl: cluster.binaries.kubectl, kubeconfig, args });
    await expect(as(bob, annotate)).rejects.toThrow('one needs the verb "confirm"');
    const onTheSide = JSON.stringify({ metadata: { annotations: { 'latchkey.dev/confirm': id } } });
    const thief = join(folder.path, 'thief.kubeconfig');
    await operatorKubeconfig(cluster, thief);
    await expect(as(thief, annotate)).rejects.toThrow('forbidden');
    // Neither by the way that the status is written: what it says of itself does not count, and it takes no annotation.
    const claim = JSON.stringify({ status: { holds: [{ ...hold, confirmed: true }] } });
    const names = await namespacesOf(named(3, 12));
    for (const patch of [onTheSide, claim])
      await kubectl(['patch', 'tokenpolicy', 'cluster', '--subresource=status', '--type=merge', '-p', patch]);
    await waitUntil('the status to be put right', DEADLINE_MS, async () => (await openHolds())[0]?.id === id);
    expect((await policy()).metadata.annotations?.['latchkey.dev/confirm']).toBeUndefined();
    expect(await namespacesOf(named(3, 12))).toEqual(names);
  });

  test('goes on when somebody with the verb confirms it', async () => {
    const [hold] = await openHolds();
    const carol = await person('carol', 'get', 'patch', 'confirm');
    expect(await confirmAs(carol, hold?.id ?? '')).toContain('is confirmed and goes on');
    await kubectl([
      'wait',
      '--for=delete',
      '--timeout=60s',
      ...named(3, 12).map((name) => `users.latchkey.dev/${name}`),
    ]);
    expect(await namespacesOf(named(3, 12))).toEqual([]);
    await waitUntil(
      'the end of the hold',
      DEADLINE_MS,
      async () => (await policy()).status?.holds === undefined,
    );
    expect((await policy()).status?.conditions?.find(({ type }) => type === 'Held')?.status).toBe('False');
  });

  test('one by one is held like all at once, under an id of its own, also with a restart in between', async () => {
    const slow = named(15, 13);
    const pause = () => new Promise((resolve) => setTimeout(resolve, 200));
    for (const name of slow.slice(0, 6)) {
      await kubectl(['delete', 'users.latchkey.dev', name, '--wait=false']);
      await pause();
    }
    await restart();
    for (const name of slow.slice(6)) {
      await kubectl(['delete', 'users.latchkey.dev', name, '--wait=false']);
      await pause();
    }
    const unasked = (await policy()).status?.taken?.reduce((sum, { users }) => sum + users, 0);
    expect(unasked).toBeLessThanOrEqual(NEVER_ASKED);
    const hold = await untilHeld((affected) => affected >= 13 - (NEVER_ASKED - 3));
    const kept = slow.slice(-hold.affected);
    expect(await namespacesOf(kept)).toEqual(kept);
    await confirmAs(cluster.adminKubeconfig, hold.id);
    await kubectl([
      'wait',
      '--for=delete',
      '--timeout=60s',
      ...slow.map((name) => `users.latchkey.dev/${name}`),
    ]);
  });
});

describe('Users that vanish while no operator runs', () => {
  const dozen = named(40, 12);

  test('are held, and the namespaces stay', async () => {
    await createUsers(dozen);
    await restart(async () => {
      for (const name of dozen)
        await latchkey.patch(`users.latchkey.dev ${name}`, { metadata: { finalizers: null } });
      await kubectl(['delete', 'users.latchkey.dev', ...dozen, '--timeout=60s']);
    });
    const hold = await untilHeld((affected) => affected === 12);
    expect(hold.cause).toBe('Vanished');
    expect(await namespacesOf(dozen)).toEqual(dozen);
  });

  test('lose the token that nobody can replace at its floor, and nothing else', async () => {
    await waitUntil('the floor', DEADLINE_MS, async () => (await latchkey.token('user-40')) === undefined);
    const secret = JSON.parse(
      await kubectl(['-n', 'user-40', 'get', 'secret', 'access-token', '-o', 'json']),
    );
    expect(secret.metadata.annotations).toMatchObject({ 'latchkey.dev/reason': 'Held' });
    expect(secret.metadata.annotations).not.toHaveProperty('latchkey.dev/expires-at');
    expect(await namespacesOf(dozen)).toEqual(dozen);
  });

  test('are collected when an admin confirms it', async () => {
    const [hold] = await openHolds();
    await confirmAs(cluster.adminKubeconfig, hold?.id ?? '');
    await kubectl(['wait', '--for=delete', '--timeout=60s', ...dozen.map((name) => `namespace/${name}`)]);
    await waitUntil(
      'the end of the hold',
      DEADLINE_MS,
      async () => (await policy()).status?.holds === undefined,
    );
  });
});

test('Users that vanish, few of them, are counted once, however often the leader changes', async () => {
  const few = named(80, 5);
  const untilMissed = async () => {
    for (const name of few)
      await waitUntil(`${name} to be missed`, DEADLINE_MS, () =>
        latchkey.operator.log().includes(`"event":"NamespaceOrphaned","namespace":"${name}"`),
      );
  };
  await createUsers(few);
  await restart(async () => {
    for (const name of few)
      await latchkey.patch(`users.latchkey.dev ${name}`, { metadata: { finalizers: null } });
    await kubectl(['delete', 'users.latchkey.dev', ...few, '--timeout=60s']);
  });
  await untilMissed();
  await restart();
  await untilMissed();
  expect(await openHolds()).toEqual([]);
  await kubectl(['delete', 'namespace', ...few, '--timeout=60s']);
});

describe('Namespaces that are restored before their Users', () => {
  const dozen = named(60, 12);

  async function restore(names: readonly string[]): Promise<void> {
    for (const name of names)
      await kubectl(
        ['create', '-f', '-'],
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: {
            name,
            labels: { 'latchkey.dev/namespace': 'made', 'latchkey.dev/user-uid': `of-old-${name}` },
            annotations: { 'latchkey.dev/user': name },
          },
        }),
      );
  }

  test('are all left where they are, also the first of them that come alone', async () => {
    await restore(dozen.slice(0, 3));
    for (const name of dozen.slice(0, 3))
      await waitUntil('it to be missed', DEADLINE_MS, () =>
        latchkey.operator.log().includes(`"event":"NamespaceOrphaned","namespace":"${name}"`),
      );
    expect(await openHolds()).toEqual([]);
    await restore(dozen.slice(3));
    const hold = await untilHeld((affected) => affected >= 12 - NEVER_ASKED);
    expect(hold.cause).toBe('Vanished');
    expect(await namespacesOf(dozen)).toEqual(dozen);
  });

  test('are handed to the Users that come after, and nothing is held any more', async () => {
    const items = dozen.map((name) => ({
      apiVersion: 'latchkey.dev/v1alpha1',
      kind: 'User',
      metadata: { name },
      spec: {},
    }));
    await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const adopt = [MAIN, 'adopt', '--restored', `--kubeconfig=${cluster.adminKubeconfig}`];
    expect((await run(process.execPath, adopt)).stdout).toContain('12 of 12 orphaned namespaces');
    await waitUntil(
      'the end of the hold',
      DEADLINE_MS,
      async () => (await policy()).status?.holds === undefined,
    );
    expect(await namespacesOf(dozen)).toEqual(dozen);
  });
});
