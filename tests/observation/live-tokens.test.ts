// The figures of a scrape, read off the caches: which Secrets count, and that ten thousand are looked at once.
import { describe, expect, test } from '@jest/globals';
import type { User } from '../../src/api/user.ts';
import { liveTokens, usersByDirectory, usersByPhase } from '../../src/observation/live-tokens.ts';
import { createStores, type Stores } from '../../src/observation/caches.ts';
import type { CachedSecret } from '../../src/observation/views.ts';

const NOW = Date.parse('2030-01-01T12:00:00Z');
const MINUTE_MS = 60_000;

function addUser(stores: Stores, name: string, change: Partial<User> = {}): void {
  const user: User = {
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: '2030-01-01T00:00:00Z' },
    spec: { role: 'member', disabled: false },
    ...change,
  };
  stores.users.merge({ name, uid: user.metadata.uid, resourceVersion: '1', user });
}

function addSecret(stores: Stores, namespace: string, change: Partial<CachedSecret> = {}): void {
  stores.secrets.merge({
    name: 'access-token',
    namespace,
    uid: `uid-secret-${namespace}`,
    resourceVersion: '1',
    userUID: `uid-${namespace}`,
    finalizers: false,
    deleting: false,
    claimedExpiry: NOW + 20 * MINUTE_MS,
    userName: namespace,
    ...change,
  });
}

describe('the tokens that live', () => {
  test('are those in the Secrets of Users, and the one with the least time counts', () => {
    const stores = createStores();
    for (const name of ['ada', 'grace', 'linus']) addUser(stores, name);
    addSecret(stores, 'ada');
    addSecret(stores, 'grace', { claimedExpiry: NOW + 12 * MINUTE_MS });
    addSecret(stores, 'linus', { claimedExpiry: undefined });
    expect(liveTokens(stores, NOW)).toEqual({ count: 2, leastRemainingMs: 12 * MINUTE_MS });
  });

  test('where there is none, there is no least time either', () => {
    const stores = createStores();
    addUser(stores, 'ada');
    addSecret(stores, 'ada', { claimedExpiry: undefined });
    expect(liveTokens(stores, NOW)).toEqual({ count: 0, leastRemainingMs: undefined });
  });

  test('count on below nothing where one has expired in its Secret', () => {
    const stores = createStores();
    addUser(stores, 'ada');
    addSecret(stores, 'ada', { claimedExpiry: NOW - MINUTE_MS });
    expect(liveTokens(stores, NOW).leastRemainingMs).toBe(-MINUTE_MS);
  });

  test.each<[string, string, Partial<CachedSecret>]>([
    ['in a namespace that no User has', 'elsewhere', {}],
    ['that is labelled as another User’s', 'ada', { userUID: 'uid-of-somebody-else' }],
    ['without the label', 'ada', { userUID: undefined }],
  ])('do not count in a Secret %s', (_, namespace, change) => {
    const stores = createStores();
    addUser(stores, 'ada');
    addSecret(stores, namespace, { claimedExpiry: NOW - MINUTE_MS, ...change });
    expect(liveTokens(stores, NOW).count).toBe(0);
  });
});

test('Users are counted by their phase, and one without a status as Pending', () => {
  const stores = createStores();
  addUser(stores, 'ada', { status: { phase: 'Active' } });
  addUser(stores, 'grace', { status: { phase: 'Active' } });
  addUser(stores, 'linus');
  expect(usersByPhase(stores)).toEqual(
    new Map([
      ['Active', 2],
      ['Pending', 1],
    ]),
  );
});

test('Users are counted by what the directory says of them, and one of whom it has said nothing as NotAsked', () => {
  const stores = createStores();
  addUser(stores, 'ada', { status: { directory: { state: 'Active' } } });
  addUser(stores, 'grace', { status: { directory: { state: 'Missing' } } });
  addUser(stores, 'linus');
  expect(usersByDirectory(stores)).toEqual(
    new Map([
      ['Active', 1],
      ['Missing', 1],
      ['NotAsked', 1],
    ]),
  );
});
