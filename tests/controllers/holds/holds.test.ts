// What is asked of the caches, remembered in a term, and left to the next leader.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Hold, TokenPolicy } from '../../../src/api/token-policy.ts';
import { holds, type Holds } from '../../../src/controllers/holds/holds.ts';
import { permissions, type Permissions } from '../../../src/controllers/holds/permissions.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import type { Happening } from '../../../src/domain/happening.ts';
import { createStores, type Caches, type Stores } from '../../../src/observation/caches.ts';
import {
  NAMESPACES,
  POLICIES,
  SECRETS,
  USERS,
  type CachedDefinition,
} from '../../../src/observation/views.ts';
import { POLICIES_CRD, USERS_CRD } from '../../../src/api/names.ts';
import { NOW, policyWith } from '../../domain/pictures.ts';

let revision = 100;
let stores: Stores;
const GROUP = 'cn=analytics,o=x';

let permitted: Permissions;
let held: Holds;
/** What the API server itself says; the cache may be later. */
let live: CachedDefinition | undefined;
let livePolicy: CachedDefinition | undefined;
let told: Happening[];
let demands: number;
let findings: Map<string, Finding>;
/** Who is in none of the groups that let people in. */
let left: Set<string>;

/** Another process: it has the caches, and remembers nothing. */
function newLeader(): void {
  permitted = permissions();
  held = holds({
    caches: stores as Caches,
    permissions: permitted,
    liveDefinitions: async () => ({ users: live, policy: livePolicy }),
    directory: (username) => ({
      finding: findings.get(username),
      askedAt: NOW,
      membership: left.has(username) ? { asked: [GROUP], groups: [], unknown: [], askedAt: NOW } : undefined,
    }),
    tell: (happening) => told.push(happening),
  });
  held.onDemand(() => (demands += 1));
  held.begin();
}

beforeEach(() => {
  stores = createStores();
  told = [];
  demands = 0;
  findings = new Map();
  left = new Set();
  newLeader();
});

const metadata = (name: string, change: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: String((revision += 1)),
  creationTimestamp: '2030-01-01T00:00:00Z',
  ...change,
});

function user(name: string, change: { deleting?: boolean; status?: object; labels?: object } = {}): void {
  const deletion = change.deleting ? { deletionTimestamp: '2030-01-01T12:00:00Z', finalizers: ['f'] } : {};
  stores.users.merge(
    USERS.view({
      metadata: metadata(name, { ...deletion, labels: change.labels }),
      spec: {},
      ...(change.status && { status: change.status }),
    }),
  );
}

/** A namespace that was made for somebody. */
function namespace(name: string, owner = `uid-${name}`): void {
  const labels = { 'latchkey.dev/namespace': 'made', 'latchkey.dev/user-uid': owner };
  stores.namespaces.merge(NAMESPACES.view({ metadata: metadata(name, { uid: `ns-${name}`, labels }) }));
}

/** What is left of the Secret once its User has been let go. */
function emptied(name: string): void {
  const annotations = { 'latchkey.dev/reason': 'UserGone' };
  const its = metadata('access-token', { namespace: name, uid: `secret-${name}`, annotations });
  stores.secrets.merge(SECRETS.view({ metadata: its }));
}

/** The CustomResourceDefinition of Users; undefined where there is none. */
function define(its: { createdAt: string; deletedAt?: string } | undefined, isCached = true): void {
  const base = {
    name: USERS_CRD,
    uid: 'uid-definition',
    resourceVersion: String((revision += 1)),
    deletedAt: undefined,
  };
  live = its && { ...base, ...its };
  if (isCached) stores.userDefinition.replace(live ? [live] : [], String((revision += 1)));
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}`);

/** As the controller of the policy does it, with a status that keeps what was decided. */
async function decide(
  status: TokenPolicy['status'] = {},
  confirmed?: string,
): Promise<TokenPolicy['status']> {
  const policy = policyWith({}, status, {
    ...(confirmed !== undefined && { annotations: { 'latchkey.dev/confirm': confirmed } }),
  });
  const decision = await held.decide(policy, NOW);
  held.settle(policy, decision);
  return { ...status, holds: [...decision.holds], taken: [...decision.taken] };
}

const given = (cause: 'Deleting' | 'Vanished') =>
  names(30).filter((name) => permitted.of(cause, `uid-${name}`)?.given);

beforeEach(() => {
  livePolicy = undefined;
  for (const store of [stores.users, stores.namespaces, stores.policies, stores.secrets])
    store.replace([], '100');
  define({ createdAt: '2029-01-01T00:00:00Z' });
  demands = 0;
});

describe('Users that are being deleted', () => {
  test('are asked about as soon as the cache tells of it, and not while nothing of the kind happens', async () => {
    user('ada');
    expect(demands).toBe(0);
    user('ada', { deleting: true });
    expect(demands).toBe(1);
  });

  test('are held together, and told of once', async () => {
    for (const name of names(12)) user(name, { deleting: true });
    const status = await decide(await decide());
    expect(status?.holds).toMatchObject([{ cause: 'Deleting', affected: 12, of: 12 }]);
    expect(given('Deleting')).toEqual([]);
    expect(told.map(({ what }) => what)).toEqual(['Held']);
  });

  test('whose offboarding has begun are no part of it', async () => {
    const begun = { conditions: [{ type: 'Ready', status: 'False', reason: 'Offboarding' }] };
    for (const name of names(12)) user(name, { deleting: true, status: begun });
    user('user-12', { deleting: true });
    expect((await decide())?.holds).toEqual([]);
    expect(given('Deleting')).toEqual(['user-12']);
  });

  test('are known to a new leader by their own status, also when it is confirmed meanwhile', async () => {
    for (const name of names(12)) user(name, { deleting: true });
    const status = await decide();
    const [hold] = status?.holds ?? [];
    for (const name of names(12)) user(name, { deleting: true, status: { hold: hold?.id } });
    user('user-12', { deleting: true });
    newLeader();
    await decide(status, hold?.id);
    expect(given('Deleting')).toEqual([...names(12), 'user-12']);
    expect(told.map(({ what }) => what)).toEqual(['Held', 'HoldConfirmed']);
  });

  test('are let go by memory where there is no policy to write to, and held alike', async () => {
    const bare = async () => held.settle(undefined, await held.decide(undefined, NOW));
    for (const name of names(30)) {
      user(name, { deleting: true });
      await bare();
    }
    expect(given('Deleting')).toHaveLength(9);
  });
});

describe('Users that have vanished', () => {
  const vanish = (name: string) => held.vanished(`uid-${name}`);

  test('go when the API server itself has said that they are gone, and not before', async () => {
    for (const name of names(2)) namespace(name);
    vanish('user-0');
    await decide();
    expect(given('Vanished')).toEqual(['user-0']);
  });

  test('that are named while a decision is being written are decided by the next one', async () => {
    for (const name of names(2)) namespace(name);
    vanish('user-0');
    const decision = held.decide(policyWith(), NOW);
    vanish('user-1');
    held.settle(policyWith(), await decision);
    expect(given('Vanished')).toEqual(['user-0']);
    await decide();
    expect(given('Vanished')).toEqual(['user-0', 'user-1']);
  });

  test('are held when they are many, the unproven counted', async () => {
    for (const name of names(12)) namespace(name);
    vanish('user-0');
    expect((await decide())?.holds).toMatchObject([{ cause: 'Vanished', affected: 12 }]);
    expect(given('Vanished')).toEqual([]);
  });

  test('and come back end the hold', async () => {
    for (const name of names(12)) namespace(name);
    vanish('user-0');
    const status = await decide();
    demands = 0;
    for (const name of names(12)) user(name);
    expect(demands).toBeGreaterThan(0);
    expect((await decide(status))?.holds).toEqual([]);
    expect(told.map(({ what }) => what)).toEqual(['Held', 'HoldEnded']);
  });

  test('get a new owner, as from "latchkey adopt", and end the hold', async () => {
    for (const name of names(12)) namespace(name);
    vanish('user-0');
    const status = await decide();
    for (const name of names(12)) user(`new-${name}`);
    demands = 0;
    for (const name of names(12)) namespace(name, `uid-new-${name}`);
    expect(demands).toBeGreaterThan(0);
    expect((await decide(status))?.holds).toEqual([]);
  });

  test('and wait for their namespaces to be collected are not counted once more by a new leader', async () => {
    for (const name of names(5)) namespace(name);
    for (const name of names(5)) vanish(name);
    const status = await decide();
    expect(given('Vanished')).toEqual(names(5));
    for (const name of names(5)) emptied(name);
    newLeader();
    for (const name of names(5)) vanish(name);
    expect((await decide(status))?.holds).toEqual([]);
    expect(given('Vanished')).toEqual(names(5));
    // Whoever comes after is counted with them.
    for (const name of names(10).slice(5)) namespace(name);
    expect((await decide(status))?.holds).toMatchObject([{ cause: 'Vanished', affected: 5, of: 10 }]);
  });

  describe('and were confirmed before a new leader began', () => {
    let status: TokenPolicy['status'];
    let id: string;
    beforeEach(async () => {
      for (const name of names(12)) namespace(name);
      vanish('user-0');
      status = await decide();
      id = status?.holds?.[0]?.id ?? '';
      newLeader();
    });

    test('go on', async () => {
      for (const name of names(12)) vanish(name);
      await decide(status, id);
      expect(given('Vanished')).toEqual(names(12));
    });

    test('go on one after the other, as the API server says of each that it is gone', async () => {
      vanish('user-3');
      const next = await decide(status, id);
      expect(given('Vanished')).toEqual(['user-3']);
      vanish('user-7');
      await decide(next, id);
      expect(given('Vanished')).toEqual(['user-3', 'user-7']);
    });

    test('are held anew where more are gone by now', async () => {
      namespace('user-12');
      for (const name of names(13)) vanish(name);
      expect((await decide(status, id))?.holds).toMatchObject([{ confirmed: false, affected: 13 }]);
      expect(given('Vanished')).toEqual([]);
    });
  });
});

describe('the CustomResourceDefinition', () => {
  const GOING = { createdAt: '2029-01-01T00:00:00Z', deletedAt: '2030-01-01T12:00:00Z' };

  test.each<[string, () => void]>([
    ['is being deleted', () => define(GOING)],
    ['is gone', () => define(undefined)],
    ['is being deleted, and only the API server knows of it yet', () => define(GOING, false)],
    ['is gone, and only the API server knows of it yet', () => define(undefined, false)],
  ])('%s: then even one User that is being deleted is held', async (_, happens) => {
    for (const name of names(30)) user(name);
    user('user-0', { deleting: true });
    happens();
    expect((await decide())?.holds).toMatchObject([{ cause: 'CRDDeleting', affected: 1, of: 30 }]);
    expect(given('Deleting')).toEqual([]);
  });

  test('is being deleted: then whoever was let go and has not begun is held', async () => {
    user('user-0', { deleting: true });
    const status = await decide();
    expect(given('Deleting')).toEqual(['user-0']);
    define(GOING);
    expect((await decide(status))?.holds).toMatchObject([{ cause: 'CRDDeleting', affected: 1 }]);
    expect(given('Deleting')).toEqual([]);
  });

  test.each<[string, () => void]>([
    ['is being deleted', () => define(GOING)],
    ['is gone', () => define(undefined)],
    ['is younger than the namespace', () => define({ createdAt: '2030-01-01T00:00:01Z' })],
  ])('%s: then even one namespace whose User is gone is held', async (_, happens) => {
    for (const name of names(30)) user(name);
    namespace('ada');
    happens();
    held.vanished('uid-ada');
    expect((await decide())?.holds).toMatchObject([{ cause: 'Vanished', affected: 1 }]);
  });
});

describe('the TokenPolicy that is being deleted', () => {
  const AT = '2030-01-01T12:00:00Z';
  const GOING = { createdAt: '2029-01-01T00:00:00Z', deletedAt: AT };
  const DEFINITION = { name: POLICIES_CRD, uid: 'uid-policies', resourceVersion: '1' };

  /** @param cached what the cache has of its CustomResourceDefinition, where that differs from what is */
  function deletePolicy(
    its: { createdAt: string; deletedAt?: string } | undefined,
    cached: { createdAt: string; deletedAt?: string } | undefined = its,
  ): void {
    livePolicy = its && { ...DEFINITION, deletedAt: undefined, ...its };
    const known = cached && { ...DEFINITION, deletedAt: undefined, ...cached };
    stores.policyDefinition.replace(known ? [known] : [], '100');
    const change = { uid: 'uid-policy', deletionTimestamp: AT, finalizers: ['latchkey.dev/policy'] };
    stores.policies.replace([POLICIES.view({ metadata: metadata('cluster', change), spec: {} })], '100');
  }
  const mayGo = () => permitted.of('PolicyCRDDeleting', 'uid-policy')?.given;

  beforeEach(() => {
    for (const name of names(3)) user(name);
  });

  test.each<[string, () => void]>([
    ['with its definition', () => deletePolicy(GOING)],
    [
      'with its definition, of which only the API server knows yet',
      () => deletePolicy(GOING, { createdAt: GOING.createdAt }),
    ],
    ['after its definition', () => deletePolicy(undefined)],
  ])('%s is held, with everybody', async (_, happens) => {
    happens();
    expect((await decide())?.holds).toMatchObject([{ cause: 'PolicyCRDDeleting', affected: 3, of: 3 }]);
    expect(mayGo()).toBe(false);
  });

  test('by its name goes at once, and counts as no accident', async () => {
    deletePolicy({ createdAt: GOING.createdAt });
    expect(await decide()).toMatchObject({ holds: [], taken: [] });
    expect(mayGo()).toBe(true);
  });

  test('by its name goes also when its definition is deleted later', async () => {
    deletePolicy({ ...GOING, deletedAt: '2030-01-01T12:00:01Z' });
    expect((await decide())?.holds).toEqual([]);
    expect(mayGo()).toBe(true);
  });

  test('and is held goes when an admin confirms it, also under a new leader', async () => {
    deletePolicy(GOING);
    const status = await decide();
    newLeader();
    expect((await decide(status))?.holds).toEqual(status?.holds);
    expect(mayGo()).toBe(false);
    newLeader();
    const [hold] = status?.holds ?? [];
    expect((await decide(status, hold?.id))?.holds).toMatchObject([{ id: hold?.id, confirmed: true }]);
    expect(mayGo()).toBe(true);
  });
});

test('ids differ, and are short', async () => {
  const ids = new Set<string>();
  for (let round = 0; round < 100; round++) {
    newLeader();
    for (const name of names(12)) user(name, { deleting: true });
    const [hold] = (await decide())?.holds ?? ([] as Hold[]);
    ids.add(hold?.id ?? '');
    expect(hold?.id).toMatch(/^[b-df-hj-km-np-tv-xz2-9]{6}$/);
  }
  expect(ids.size).toBe(100);
});

describe('Users whom the directory calls inactive', () => {
  const SESSION = { id: 's', startedAt: '2030-01-01T08:00:00Z', epoch: 'e', userUID: 'u', generation: 1 };
  const signedIn = (name: string, status: object = {}) =>
    user(name, { status: { session: SESSION, ...status } });
  const disable = (name: string) => findings.set(name, { state: 'Found', spells: [{ reason: 'Disabled' }] });
  const isGiven = (name: string) => permitted.of('Inactive', `uid-${name}`)?.given;

  test('lose their session when they are few', async () => {
    for (const name of names(20)) signedIn(name);
    disable('user-0');
    await decide();
    expect(isGiven('user-0')).toBe(true);
    expect(isGiven('user-1')).toBeUndefined();
  });

  test('are held when they are many, missing or disabled', async () => {
    for (const name of names(20)) signedIn(name);
    for (const name of names(5)) disable(name);
    for (const name of names(10).slice(5)) findings.set(name, { state: 'Missing', spells: [] });
    const status = await decide();
    expect(status?.holds).toMatchObject([{ cause: 'Inactive', affected: 10, of: 20, confirmed: false }]);
    expect(isGiven('user-0')).toBe(false);
  });

  test('are held when many have a new password, or have left their groups, with all the others', async () => {
    const policy = policyWith({
      session: { endOnPasswordChange: true },
      onboarding: { groups: [GROUP], maxUsers: 100 },
    });
    stores.policies.replace([POLICIES.view(policy as never)], '1');
    const directory = { state: 'Active', groups: [GROUP] };
    const labels = { 'latchkey.dev/onboarded': 'true' };
    for (const name of names(20)) user(name, { labels, status: { session: SESSION, directory } });
    for (const name of names(3)) disable(name);
    for (const name of names(6).slice(3))
      findings.set(name, { state: 'Found', spells: [], passwordChangedAt: NOW.getTime() });
    for (const name of names(9).slice(6)) left.add(name);
    await decide();
    expect(names(20).filter(isGiven)).toEqual(names(9));
    newLeader();
    left.add('user-9');
    const status = await decide();
    expect(status?.holds).toMatchObject([{ cause: 'Inactive', affected: 10, of: 20 }]);
    expect(names(20).filter(isGiven)).toEqual([]);
  });

  test('are not counted where they have nothing to lose, or have lost it', async () => {
    for (const name of names(10)) user(name);
    for (const name of names(10)) disable(name);
    for (const name of ['a', 'b']) signedIn(name, { directory: { state: 'Inactive' } });
    for (const name of ['a', 'b']) disable(name);
    expect((await decide())?.holds ?? []).toEqual([]);
  });

  test('are let go when the directory finds them again', async () => {
    for (const name of names(10)) signedIn(name);
    for (const name of names(10)) disable(name);
    const status = await decide();
    findings.clear();
    expect((await decide(status))?.holds).toEqual([]);
  });

  test('are counted again once they have a session again', async () => {
    for (const name of names(20)) signedIn(name);
    disable('user-0');
    await decide();
    user('user-0', { status: { directory: { state: 'Inactive' } } });
    expect(isGiven('user-0')).toBeUndefined();
    signedIn('user-0');
    await decide();
    expect(isGiven('user-0')).toBe(true);
  });

  test('ask for no other decision by losing it, unless a hold waits for its last one', async () => {
    for (const name of names(100)) signedIn(name);
    for (const name of names(5)) disable(name);
    const status = await decide();
    demands = 0;
    for (const name of names(5)) user(name, { status: { directory: { state: 'Inactive' } } });
    expect(demands).toBe(0);
    for (const name of names(40)) disable(name);
    expect((await decide(status))?.holds).toHaveLength(1);
    demands = 0;
    user('user-39', { status: { directory: { state: 'Inactive' } } });
    expect(demands).toBe(1);
  });
});
