// One User brought to what is decided, while the API server fails at it in one way after the other.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { applier } from '../../../src/controllers/users/apply.ts';
import { ledger } from '../../../src/controllers/users/ledger.ts';
import { prover } from '../../../src/controllers/users/prove.ts';
import { reconciler, type LookAgain, type Reconcile } from '../../../src/controllers/users/reconcile.ts';
import type { CannotMint } from '../../../src/domain/observed.ts';
import { ApiError } from '../../../src/kubernetes/api-error.ts';
import type { ApiRequest, KubernetesClient } from '../../../src/kubernetes/client.ts';
import { createStores } from '../../../src/observation/caches.ts';
import { ANCHORS, BINDINGS, NAMESPACES, POLICIES, SECRETS, USERS } from '../../../src/observation/views.ts';
import { ModelApiServer, overTheWire, type Watched } from './model/api-server.ts';
import { SIGNER, TTL } from './model/world.ts';
import { cachesOf } from './caches-of.ts';
import { surroundingsOf } from './surroundings-of.ts';

const START = Date.parse('2030-01-01T00:00:00Z');
const MINUTE_MS = 60_000;
const SECRET = 'ada/access-token';
const SKEW: CannotMint = { reason: 'ClockSkew', message: 'the clocks differ' };

let api: ModelApiServer;
let requests: ApiRequest[];
/** Asked before every request; throws what the API server answers. */
let fail: (request: ApiRequest) => void;
let proven: boolean;
let leading: boolean;
let cannotMint: CannotMint | undefined;
let serverAheadMs: number;

beforeEach(() => {
  jest.useFakeTimers({ now: START, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  api = new ModelApiServer(() => new Date());
  requests = [];
  fail = () => undefined;
  proven = false;
  leading = true;
  cannotMint = undefined;
  serverAheadMs = 0;
  api.put('tokenpolicies', 'cluster', {
    spec: { enabled: true, accessToken: TTL },
    status: { epoch: 'epoch', observedGeneration: 1 },
  });
  const { metadata } = api.put('users', 'ada', { spec: { role: 'member', disabled: false } });
  const session = { id: 'first', startedAt: new Date(START).toISOString(), epoch: 'epoch' };
  api.put('users', 'ada', { status: { session: { ...session, userUID: metadata.uid, generation: 1 } } });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A process of the operator, which knows what is there when it starts, and what its own writes answer. */
function startOperator(): {
  reconcile: () => Promise<LookAgain>;
  listAgain: (...kinds: Watched[]) => void;
} {
  const model = api.client();
  const client: KubernetesClient = {
    ...model,
    async request<T>(request: ApiRequest) {
      requests.push(request);
      fail(request);
      return model.request<T>(request);
    },
  };
  const stores = createStores();
  const freshness = { isProven: () => proven, untilProven: async () => proven, ageMs: () => 0 };
  const caches = cachesOf(stores, freshness);
  const written = ledger();
  const surroundings = surroundingsOf(caches, written, { cannotMint: () => cannotMint });
  const tell = () => undefined;
  const log = pino({ level: 'silent' });
  const apply = applier({
    client,
    caches,
    ledger: written,
    signer: SIGNER,
    podSecurity: 'restricted',
    tell,
    log,
  });
  const now = () => new Date(Date.now() + serverAheadMs);
  const askPermission = () => undefined;
  const run: Reconcile = reconciler({
    prove: prover(client, caches),
    surroundings,
    apply,
    tell,
    askPermission,
    now,
  });
  const resources = { users: [USERS, stores.users], tokenpolicies: [POLICIES, stores.policies], namespaces: [NAMESPACES, stores.namespaces], secrets: [SECRETS, stores.secrets], anchors: [ANCHORS, stores.anchors], rolebindings: [BINDINGS, stores.bindings] } as const; // prettier-ignore
  const listAgain = (...kinds: Watched[]) => {
    const version = api.changes.at(-1)?.object.metadata.resourceVersion ?? '1';
    for (const kind of kinds) {
      const [resource, store] = resources[kind];
      const views = [...api.objects[kind].values()].map((object) => resource.view(overTheWire(object)));
      (store as { replace(objects: readonly unknown[], version: string): void }).replace(views, version);
    }
  };
  listAgain('users', 'tokenpolicies', 'namespaces', 'secrets', 'rolebindings');
  return { reconcile: () => run('ada', () => leading), listAgain };
}

const refused = (status: number) => new ApiError('request', status, { reason: 'injected' });
const token = () =>
  (api.objects.secrets.get(SECRET)?.['data'] as { AUTH_TOKEN?: string } | undefined)?.AUTH_TOKEN;

/** An operator that has written a token, and was asked for nothing since. */
async function settled() {
  const operator = startOperator();
  await operator.reconcile();
  expect(token()).toBeDefined();
  requests.length = 0;
  return operator;
}

test('a refresh is one request', async () => {
  proven = true;
  const { reconcile } = await settled();
  const before = token();
  jest.advanceTimersByTime(15 * MINUTE_MS);
  await reconcile();
  expect(requests.map(({ method }) => method)).toEqual(['PUT']);
  expect(token()).not.toBe(before);
});

test('a good token stays where the process that finds it can prove nothing', async () => {
  await settled();
  const before = token();
  jest.advanceTimersByTime(MINUTE_MS);
  const { reconcile } = startOperator();
  fail = ({ method }) => {
    if (method === 'GET') throw refused(500);
  };
  await expect(reconcile()).rejects.toThrow('500');
  expect(token()).toBe(before);
  // Nor is it written down that something was amiss for a moment.
  expect(requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  jest.advanceTimersByTime(19 * MINUTE_MS);
  await expect(reconcile()).rejects.toThrow('500');
  expect(token()).toBeUndefined();
});

test('a good token stays where the answer to its write was lost and nothing can be proven', async () => {
  const { reconcile, listAgain } = await settled();
  jest.advanceTimersByTime(15 * MINUTE_MS);
  api.failNext('Lost');
  await expect(reconcile()).rejects.toThrow('lost');
  const written = token();
  listAgain('secrets');
  fail = ({ method }) => {
    if (method === 'GET') throw refused(429);
  };
  await expect(reconcile()).rejects.toThrow('429');
  expect(token()).toBe(written);
});

test('after a lost answer the Secret is looked at, rather than its watch waited for', async () => {
  const { reconcile } = await settled();
  jest.advanceTimersByTime(15 * MINUTE_MS);
  api.failNext('Lost');
  await expect(reconcile()).rejects.toThrow('lost');
  const lost = token();
  await expect(reconcile()).rejects.toThrow('409');
  jest.advanceTimersByTime(2_000);
  await reconcile();
  expect(token()).not.toBe(lost);
  // Only what its metadata says: no token comes into memory.
  const look = requests.find(({ method, path }) => method === 'GET' && path.includes('/secrets/'));
  expect(look?.accept).toContain('as=PartialObjectMetadata');
});

test('a token goes although the end of its session cannot be written down', async () => {
  const { reconcile, listAgain } = await settled();
  api.put('users', 'ada', { spec: { role: 'member', disabled: true } });
  listAgain('users');
  fail = ({ path }) => {
    if (path.endsWith('/status')) throw refused(422);
  };
  await expect(reconcile()).rejects.toThrow('422');
  expect(token()).toBeUndefined();
  fail = () => undefined;
  await reconcile();
  expect(api.objects.users.get('ada')?.['status']).not.toHaveProperty('session');
});

test.each([
  ['the cluster is switched off', { spec: { enabled: false, accessToken: TTL } }],
  ['every session is ended', { status: { epoch: 'another', observedGeneration: 1 } }],
])(
  'where %s, a key goes at once, and what is written down of its User waits for the keys of others',
  async (_, change) => {
    proven = true;
    const { reconcile, listAgain } = await settled();
    api.put('tokenpolicies', 'cluster', change);
    listAgain('tokenpolicies');
    expect(await reconcile()).toBe('AfterOthers');
    expect(token()).toBeUndefined();
    expect(requests.map(({ path }) => path)).toEqual(['/api/v1/namespaces/ada/secrets/access-token']);
    expect(await reconcile()).toBeUndefined();
    expect(api.objects.users.get('ada')?.['status']).not.toHaveProperty('session');
  },
);

/** An operator that has written a token of Kubernetes, and was asked for nothing since. */
async function settledByKubernetes() {
  api.put('tokenpolicies', 'cluster', {
    spec: { enabled: true, accessToken: TTL, tokenSource: 'Kubernetes' },
    status: { epoch: 'epoch', observedGeneration: 2 },
  });
  proven = true;
  const operator = await settled();
  expect(anchors()).toBe(1);
  return operator;
}
const anchors = () => api.objects.anchors.size;
const refuseToDelete: typeof fail = ({ method }) => {
  if (method === 'DELETE') throw refused(403);
};

test('where everybody loses it, a token of Kubernetes dies by one request, and its key waits for those of others', async () => {
  const { reconcile, listAgain } = await settledByKubernetes();
  api.put('tokenpolicies', 'cluster', { spec: { enabled: false, accessToken: TTL } });
  listAgain('tokenpolicies');
  expect(await reconcile()).toBe('AfterAnchors');
  expect(requests.map(({ method, path }) => [method, path])).toEqual([
    ['DELETE', '/api/v1/namespaces/ada/secrets/access-token-binding'],
  ]);
  // The watch has not told of it yet.
  expect(await reconcile()).toBe('AfterOthers');
  expect(token()).toBeUndefined();
  expect(await reconcile()).toBeUndefined();
  expect(requests).toHaveLength(3);
  expect(api.objects.users.get('ada')?.['status']).not.toHaveProperty('session');
});

test('where one user loses it, what a token of Kubernetes hangs on and its key go one after the other', async () => {
  const { reconcile, listAgain } = await settledByKubernetes();
  api.put('users', 'ada', { spec: { role: 'member', disabled: true } });
  listAgain('users');
  await reconcile();
  expect([anchors(), token()]).toEqual([0, undefined]);
  expect(requests.map(({ method }) => method)).toEqual(['PUT', 'DELETE', 'PUT']);
});

test.each([
  ['of everybody', () => api.put('tokenpolicies', 'cluster', { spec: { enabled: false, accessToken: TTL } })],
  ['of one user', () => api.put('users', 'ada', { spec: { role: 'member', disabled: true } })],
])('the key %s goes although what it hangs on cannot be deleted', async (_, change) => {
  const { reconcile, listAgain } = await settledByKubernetes();
  change();
  listAgain('tokenpolicies', 'users');
  fail = refuseToDelete;
  await expect(reconcile()).rejects.toThrow('403');
  expect([anchors(), token()]).toEqual([1, undefined]);
  fail = () => undefined;
  await reconcile();
  expect(anchors()).toBe(0);
});

test('a token of Kubernetes dies although the end of its session cannot be written down', async () => {
  const { reconcile, listAgain } = await settledByKubernetes();
  api.put('users', 'ada', { spec: { role: 'member', disabled: true } });
  listAgain('users');
  fail = ({ path }) => {
    if (path.endsWith('/status')) throw refused(422);
  };
  await expect(reconcile()).rejects.toThrow('422');
  expect([anchors(), token()]).toEqual([0, undefined]);
});

test('an anchor that another process has made anew meanwhile stays: a session goes on with it', async () => {
  const { reconcile, listAgain } = await settledByKubernetes();
  api.put('users', 'ada', { spec: { role: 'member', disabled: true } });
  listAgain('users');
  const key = 'ada/access-token-binding';
  const { metadata, ...rest } = api.objects.anchors.get(key)!;
  api.remove('anchors', key);
  const { uid: _, ...others } = metadata;
  api.put('anchors', key, { ...rest, metadata: others as typeof metadata });
  await reconcile();
  expect(anchors()).toBe(1);
});

test.each([
  ['the clock is set', () => (cannotMint = SKEW)],
  ['the Lease is lost', () => (leading = false)],
])('nothing is minted where %s while it is proven that it may be', async (_, happens) => {
  const { reconcile } = await settled();
  const before = token();
  jest.advanceTimersByTime(15 * MINUTE_MS);
  fail = ({ method }) => {
    if (method === 'GET') happens();
  };
  await reconcile();
  expect(requests.some(({ method }) => method === 'GET')).toBe(true);
  expect(token()).toBe(before);
});

test('a token that is below its floor goes at once where the clock is set just before it would be replaced', async () => {
  const { reconcile } = await settled();
  jest.advanceTimersByTime(21 * MINUTE_MS);
  fail = ({ method }) => {
    if (method === 'GET') cannotMint = SKEW;
  };
  await reconcile();
  expect(token()).toBeUndefined();
});

test('while our clock is wrong a token goes by the clock of the API server, and is looked at by ours', async () => {
  const { reconcile } = await settled();
  const before = token();
  cannotMint = SKEW;
  // Ours was set back by an hour.
  serverAheadMs = 60 * MINUTE_MS;
  jest.setSystemTime(START - 60 * MINUTE_MS + 19 * MINUTE_MS);
  expect(await reconcile()).toEqual(new Date(START - 40 * MINUTE_MS - 5_000));
  expect(token()).toBe(before);
  jest.advanceTimersByTime(MINUTE_MS);
  await reconcile();
  expect(token()).toBeUndefined();
});

test('while our clock is ahead no token goes before its time', async () => {
  const { reconcile } = await settled();
  const before = token();
  cannotMint = SKEW;
  serverAheadMs = -60 * MINUTE_MS;
  jest.setSystemTime(START + 60 * MINUTE_MS + 10 * MINUTE_MS);
  await reconcile();
  expect(token()).toBe(before);
});
