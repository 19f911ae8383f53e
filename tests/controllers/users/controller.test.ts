// Which User comes first, where there is work for all of them.
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { User } from '../../../src/api/user.ts';
import { type UsersController, usersController } from '../../../src/controllers/users/controller.ts';
import type { LookAgain } from '../../../src/controllers/users/reconcile.ts';
import { permissions } from '../../../src/controllers/holds/permissions.ts';
import { ledger, type Ledger } from '../../../src/controllers/users/ledger.ts';
import { createStores, type Stores } from '../../../src/observation/caches.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { cachedSecret } from './cached-secret.ts';
import { ada, NO_LICENSE, policyWith } from '../../domain/pictures.ts';
import { cachesOf } from './caches-of.ts';

const USERS = Array.from({ length: 100 }, (_, index) => `u${index}`);

interface Scene {
  /** In the order in which they came. */
  readonly turns: string[];
  readonly controller: UsersController;
  readonly users: readonly User[];
  readonly stores: Stores;
  readonly written: Ledger;
}

/** @param expiry of the token of each */
function scene(
  expiry: (index: number) => number,
  reconcile: (first: boolean, name: string) => LookAgain,
): Scene {
  const stores = createStores();
  const proof = { isProven: () => true, untilProven: async () => true, ageMs: () => 0 };
  const caches = cachesOf(stores, proof);
  const turns: string[] = [];
  const written = ledger();
  const controller = usersController({
    caches,
    ledger: written,
    license: () => NO_LICENSE,
    permissions: permissions(),
    reconcile: async (name) => {
      const first = !turns.includes(name);
      turns.push(name);
      await Promise.resolve();
      return reconcile(first, name);
    },
    isLeading: () => true,
    log: pino({ level: 'silent' }),
  });
  const users = USERS.map((name) => {
    const user = ada({ metadata: { ...ada().metadata, name, uid: name }, spec: { namespace: name } });
    return { name, uid: name, resourceVersion: '1', user };
  });
  stores.users.replace(users, '1');
  const secrets = USERS.map((namespace, index) =>
    cachedSecret({
      namespace,
      uid: `secret of ${namespace}`,
      resourceVersion: '1',
      claimedExpiry: expiry(index),
    }),
  );
  stores.secrets.replace(secrets, '1');
  return { turns, controller, users: users.map(({ user }) => user), stores, written };
}

async function untilTurns({ controller, turns }: Scene, count: number): Promise<void> {
  const life = new AbortController();
  const done = controller.run(life.signal);
  await waitUntil(`${count} turns`, 60_000, () => turns.length === count);
  life.abort();
  await done;
}

test('what may wait of one User waits until everybody else has had a turn', async () => {
  const all = scene(
    () => Date.now(),
    (first) => (first ? 'AfterOthers' : undefined),
  );
  await untilTurns(all, 2 * USERS.length);
  expect(new Set(all.turns.slice(0, USERS.length)).size).toBe(USERS.length);
});

test('who begins, having heard of everybody before, begins with the tokens that have least time left', async () => {
  // 37 and 100 have no common divisor: everybody has a rank of their own, and no order of names is that of the ranks.
  const rank = (index: number) => (37 * index) % USERS.length;
  const all = scene(
    (index) => Date.now() + rank(index) * 1_000,
    () => undefined,
  );
  await untilTurns(all, USERS.length);
  expect(all.turns).toEqual(USERS.toSorted((a, b) => rank(USERS.indexOf(a)) - rank(USERS.indexOf(b))));
});

test('whom the directory has only good to say of waits for its turn, and who loses by it comes next', async () => {
  const rank = (index: number) => (37 * index) % USERS.length;
  const all = scene(
    (index) => Date.now() + rank(index) * 1_000,
    () => undefined,
  );
  const inOrder = USERS.toSorted((a, b) => rank(USERS.indexOf(a)) - rank(USERS.indexOf(b)));
  const last = inOrder.at(-1);
  const life = new AbortController();
  const done = all.controller.run(life.signal);
  // As many as are worked on at once have begun.
  const begun = all.turns.length;
  for (const user of all.users.toReversed())
    if (!all.turns.includes(user.metadata.name)) all.controller.look(user, user.metadata.name === last);
  await waitUntil('everybody to have had a turn', 60_000, () => all.turns.length === USERS.length);
  life.abort();
  await done;
  const waited = inOrder.slice(begun, -1);
  expect(all.turns.slice(begun, begun + 3)).toContain(last);
  expect(all.turns.slice(begun).filter((name) => name !== last)).toEqual(waited);
});

/** One in which everybody has been looked at once. */
async function afterTheStart(
  prepare: (all: Scene) => void,
  act: (all: Scene) => Promise<void>,
): Promise<void> {
  const all = scene(
    () => Date.now(),
    () => undefined,
  );
  prepare(all);
  const life = new AbortController();
  const done = all.controller.run(life.signal);
  await waitUntil('everybody to be looked at', 60_000, () => all.turns.length === USERS.length);
  all.turns.length = 0;
  await act(all);
  life.abort();
  await done;
}

test('what a watch tells of a Secret is looked at, unless it is being written: who writes looks when it is done', () =>
  afterTheStart(
    () => undefined,
    async ({ stores, turns, written }) => {
      const uid = 'secret of u7';
      const tell = (resourceVersion: string) =>
        stores.secrets.applyEvent('MODIFIED', cachedSecret({ namespace: 'u7', uid, resourceVersion }));
      await written.whileWriting(uid, async () => tell('2'));
      await setImmediate();
      expect(turns).toEqual([]);
      tell('3');
      await waitUntil('the user to be looked at', 500, () => turns.length === 1);
      expect(turns).toEqual(['u7']);
    },
  ));

describe('a change of the policy', () => {
  let version = 1;
  /** Tells of the policy as it is in that generation. */
  function tell({ stores }: Scene, generation: number, observedGeneration: number, enabled = true): void {
    version += 1;
    const policy = policyWith({ enabled }, { observedGeneration }, { generation });
    const { name, uid } = policy.metadata;
    stores.policies.applyEvent('MODIFIED', { name, uid, resourceVersion: String(version), policy });
  }

  const afterIt = (act: (all: Scene) => Promise<void>) => afterTheStart((all) => tell(all, 1, 1), act);

  test('that is not accounted for yet has nobody looked at, and everybody once when it is', () =>
    afterIt(async (all) => {
      tell(all, 2, 1);
      await setImmediate();
      expect(all.turns).toEqual([]);
      tell(all, 2, 2);
      await waitUntil('everybody to be looked at', 500, () => all.turns.length === USERS.length);
      const over = performance.now() + 1_200;
      await waitUntil(
        'the time to pass in which it could have been accounted for',
        5_000,
        () => performance.now() > over,
      );
      expect(all.turns).toHaveLength(USERS.length);
    }));

  test('that nobody accounts for has everybody looked at nevertheless', () =>
    afterIt(async (all) => {
      tell(all, 2, 1);
      await waitUntil('everybody to be looked at', 60_000, () => all.turns.length === USERS.length);
    }));

  test('that takes every token away waits for nothing', () =>
    afterIt(async (all) => {
      tell(all, 2, 1, false);
      await waitUntil('everybody to be looked at', 500, () => all.turns.length === USERS.length);
    }));
});
