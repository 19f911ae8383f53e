// The reflector on a real API server: pages, events, and a server that goes away and comes back.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ControlPlane, startControlPlane } from '../../dev/cluster/control-plane.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { listAll } from '../../src/kubernetes/list.ts';
import { reflect, type Reflector } from '../../src/kubernetes/reflector.ts';
import { Store } from '../../src/kubernetes/store.ts';
import { type ConfigMap, type ConfigMaps, configMaps } from './config-maps.ts';
import { quiet } from './scripted-resource.ts';

const OBJECTS = 1_200;
const controlPlane: ControlPlane = await startControlPlane();
const life = new AbortController();
const store = new Store<ConfigMap>();
let client: KubernetesClient;
let maps: ConfigMaps;
let reflector: Reflector;

beforeAll(async () => {
  client = kubernetesClient(await loadConnection(controlPlane.adminKubeconfig));
  maps = await configMaps(client, 'reflected');
});
afterAll(async () => {
  life.abort();
  await reflector.done;
  await client.close();
  await controlPlane.stop();
});

const has = (name: string, value: string | undefined) =>
  waitUntil(
    `${name} to be ${value ?? 'gone'} in the store`,
    60_000,
    () => store.get(`reflected/${name}`)?.value === value,
  );

/** What the API server holds, beside what the store does. */
async function expectEqual(): Promise<void> {
  const truth = await listAll(client, maps.resource);
  const byName = (objects: Iterable<ConfigMap>) =>
    Object.fromEntries([...objects].map(({ name, resourceVersion }) => [name, resourceVersion]));
  expect(byName(store.values())).toEqual(byName(truth.objects));
}

test('1,200 objects are listed in pages', async () => {
  const names = Array.from({ length: OBJECTS }, (_, n) => `map-${n}`);
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) await maps.put(name, 'first');
    }),
  );
  reflector = reflect(client, maps.resource, store, { log: quiet, signal: life.signal });
  await reflector.synced;
  expect(store.size).toBe(OBJECTS);
  await expectEqual();
});

test('events arrive', async () => {
  await maps.put('new', 'first');
  await has('new', 'first');
  await maps.put('new', 'second');
  await has('new', 'second');
  await maps.remove('new');
  await has('new', undefined);
  const version = await maps.put('map-7', 'second');
  await has('map-7', 'second');
  expect(store.hasReached(version)).toBe(true);
  await expectEqual();
});

test('after the API server was killed and came back, the store is what the API server holds', async () => {
  await controlPlane.stopApiServer();
  await expect(maps.put('map-8', 'lost')).rejects.toMatchObject({ code: 'ApiUnreachable' });
  await controlPlane.restartApiServer();
  await maps.put('map-8', 'third');
  await maps.remove('map-9');
  await has('map-8', 'third');
  await has('map-9', undefined);
  await expectEqual();
});

test('and again, with requests under way, each of which ends', async () => {
  const busy = Array.from({ length: 50 }, (_, n) =>
    maps.put(`map-${n + 100}`, 'fourth').then(
      () => 'done',
      (error: { code: string }) => error.code,
    ),
  );
  await controlPlane.restartApiServer();
  const outcomes = await Promise.all(busy);
  expect(outcomes.filter((outcome) => !['done', 'ApiUnreachable', 'ApiRefused'].includes(outcome))).toEqual(
    [],
  );
  await maps.put('map-1', 'fifth');
  await has('map-1', 'fifth');
  await expectEqual();
});
