// Which User comes first, where there is work for all of them.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { usersController } from '../../../src/controllers/users/controller.ts';
import { permissions } from '../../../src/controllers/holds/permissions.ts';
import { ledger } from '../../../src/controllers/users/ledger.ts';
import { createStores } from '../../../src/observation/caches.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { cachedSecret } from './cached-secret.ts';
import { ada, NO_LICENSE } from '../../domain/pictures.ts';
import { cachesOf } from './caches-of.ts';

const USERS = Array.from({ length: 100 }, (_, index) => `u${index}`);

test('what may wait of one User waits until everybody else has had a turn', async () => {
  const stores = createStores();
  const proof = { isProven: () => true, untilProven: async () => true, ageMs: () => 0 };
  const caches = cachesOf(stores, proof);
  const users = USERS.map((name) => {
    const user = ada({ metadata: { ...ada().metadata, name, uid: name }, spec: { namespace: name } });
    return { name, uid: name, resourceVersion: '1', user };
  });
  stores.users.replace(users, '1');
  const secrets = USERS.map((namespace) =>
    cachedSecret({
      namespace,
      uid: `secret of ${namespace}`,
      resourceVersion: '1',
      claimedExpiry: Date.now(),
    }),
  );
  stores.secrets.replace(secrets, '1');
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
      return first ? 'AfterOthers' : undefined;
    },
    isLeading: () => true,
    log: pino({ level: 'silent' }),
  });
  const life = new AbortController();
  const done = controller.run(life.signal);
  await waitUntil('everybody to have had two turns', 5_000, () => turns.length === 2 * USERS.length);
  life.abort();
  await done;
  expect(new Set(turns.slice(0, USERS.length)).size).toBe(USERS.length);
});
