// Which User comes first, where there is work for all of them.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { User } from '../../../src/api/user.ts';
import { type UsersController, usersController } from '../../../src/controllers/users/controller.ts';
import type { LookAgain } from '../../../src/controllers/users/reconcile.ts';
import { permissions } from '../../../src/controllers/holds/permissions.ts';
import { ledger } from '../../../src/controllers/users/ledger.ts';
import { createStores } from '../../../src/observation/caches.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { cachedSecret } from './cached-secret.ts';
import { ada, NO_LICENSE } from '../../domain/pictures.ts';
import { cachesOf } from './caches-of.ts';

const USERS = Array.from({ length: 100 }, (_, index) => `u${index}`);

interface Scene {
  /** In the order in which they came. */
  readonly turns: string[];
  readonly controller: UsersController;
  readonly users: readonly User[];
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
  const controller = usersController({
    caches,
    ledger: ledger(),
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
  return { turns, controller, users: users.map(({ user }) => user) };
}

async function untilTurns({ controller, turns }: Scene, count: number): Promise<void> {
  const life = new AbortController();
  const done = controller.run(life.signal);
  await waitUntil(`${count} turns`, 5_000, () => turns.length === count);
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
  await waitUntil('everybody to have had a turn', 5_000, () => all.turns.length === USERS.length);
  life.abort();
  await done;
  const waited = inOrder.slice(begun, -1);
  expect(all.turns.slice(begun, begun + 3)).toContain(last);
  expect(all.turns.slice(begun).filter((name) => name !== last)).toEqual(waited);
});
