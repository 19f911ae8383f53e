// A proof of freshness is there when it is needed, on a real API server, and never where it would be a lie.
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ControlPlane, startControlPlane } from '../../dev/cluster/control-plane.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { FRESH_MS, freshness, type Freshness } from '../../src/kubernetes/freshness.ts';
import { reflect, type Reflector } from '../../src/kubernetes/reflector.ts';
import { Store } from '../../src/kubernetes/store.ts';
import { startScriptedApiServer } from '../support/scripted-api-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type ConfigMap, type ConfigMaps, configMaps } from './config-maps.ts';
import { bookmark, isWatch, page, quiet, refuse, RESOURCE, type Seen } from './scripted-resource.ts';

/** Far more than a proof takes, and less than the minute after which a watch tells of itself how far it is. */
const DEADLINE_MS = 45_000;
/** While there is demand, the next proof begins no sooner after the last one began (freshness.ts). */
const RENEW_AFTER_MS = 1_000;

const whenProven = (proof: Freshness) =>
  waitUntil('a proof of freshness', DEADLINE_MS, () => proof.isProven());

/** Until there is none any more: by then the last moment that any could be of is longer ago than one lasts. */
async function untilRunOut(proof: Freshness, since: number): Promise<void> {
  await waitUntil('the proof to run out', DEADLINE_MS, () => {
    // Asked after the time, the answer is not one of before.
    const isOver = performance.now() > since + FRESH_MS;
    const isProven = proof.isProven();
    if (isOver) expect(isProven).toBe(false);
    return !isProven;
  });
}

describe('on a real API server', () => {
  let controlPlane: ControlPlane;
  let direct: KubernetesClient;
  let maps: ConfigMaps;
  let proxy: TcpProxy;
  let client: KubernetesClient;
  let store: Store<ConfigMap>;
  let life: AbortController;
  let reflector: Reflector;
  let proof: Freshness;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    direct = kubernetesClient(await loadConnection(controlPlane.adminKubeconfig));
    maps = await configMaps(direct, 'fresh');
    await maps.put('map', 'first');
  });
  afterAll(async () => {
    await direct.close();
    await controlPlane.stop();
  });

  beforeEach(async () => {
    proxy = await startTcpProxy(Number(new URL(controlPlane.url).port));
    const connection = await loadConnection(controlPlane.adminKubeconfig);
    client = kubernetesClient({ ...connection, server: `https://127.0.0.1:${proxy.port}` });
    store = new Store();
    life = new AbortController();
    const options = { log: quiet, signal: life.signal };
    reflector = reflect(client, maps.resource, store, options);
    proof = freshness(client, maps.resource, store, options);
    await reflector.synced;
    await waitUntil('the watch to begin', DEADLINE_MS, () => proxy.connections() === 2);
  });
  afterEach(async () => {
    life.abort();
    await reflector.done;
    await client.close();
    await proxy.close();
  });

  /** Something happens elsewhere, so that the API server's history is longer than what the watch has told. */
  async function elsewhere(): Promise<void> {
    await direct.request({
      method: 'PATCH',
      path: '/api/v1/namespaces/default',
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { elsewhere: String(performance.now()) } } },
    });
  }

  test('a proof is there soon after the first question, though nothing happens to the resource', async () => {
    expect(proof.ageMs()).toBe(Infinity);
    for (let round = 0; round < 3; round += 1) {
      await elsewhere();
      const fresh = freshness(client, maps.resource, store, { log: quiet, signal: life.signal });
      expect(fresh.isProven()).toBe(false);
      await whenProven(fresh);
      expect(fresh.ageMs()).toBeLessThan(FRESH_MS);
    }
  });

  test('while there is demand, one proof follows the other at once, and each is made in less than half of its time', async () => {
    await whenProven(proof);
    /** From the question to the answer. */
    const took: number[] = [];
    /** Between the first question that finds no proof under way, and the next proof. */
    const idle: number[] = [];
    let age = proof.ageMs();
    let begun = performance.now() - age;
    let due = performance.now();
    await waitUntil('four more of them', 2 * DEADLINE_MS, async () => {
      await elsewhere();
      const asked = performance.now();
      proof.isProven();
      const answered = performance.now();
      const now = proof.ageMs();
      if (now < age) {
        begun = asked - now;
        idle.push(begun - due);
        took.push(now);
        due = Math.max(answered, begun + RENEW_AFTER_MS);
      }
      age = now;
      return took.length >= 4;
    });
    // Where one has failed, or the machine was slow for a moment, it takes longer.
    expect(Math.min(...idle)).toBeLessThan(100);
    expect(Math.min(...took)).toBeLessThan(FRESH_MS / 2);
  });

  test('what is proven holds what was written before the question', async () => {
    const version = await direct
      .request<{ metadata: { resourceVersion: string } }>({
        method: 'GET',
        path: `${maps.resource.path}/map`,
      })
      .then(({ metadata }) => metadata.resourceVersion);
    await whenProven(proof);
    expect(store.get('fresh/map')?.resourceVersion).toBe(version);
    expect(store.hasReached(version)).toBe(true);
  });

  test('there is none while the API server stands still, and there is one again when it goes on', async () => {
    await whenProven(proof);
    const pid = apiServerPid(controlPlane);
    process.kill(pid, 'SIGSTOP');
    try {
      const stopped = performance.now();
      await untilRunOut(proof, stopped);
      const until = performance.now() + 4_000;
      await waitUntil('four seconds to pass without a proof', DEADLINE_MS, () => {
        expect(proof.isProven()).toBe(false);
        return performance.now() > until;
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await whenProven(proof);
  });

  test('a long watch that has stalled does not keep the store stale: the proof brings the events itself', async () => {
    await whenProven(proof);
    // The first connection carries a request, the second the long watches.
    proxy.freeze(2);
    const version = await maps.put('map', `after ${performance.now()}`);
    await waitUntil('the event', DEADLINE_MS, () => {
      proof.isProven();
      return store.hasReached(version) && store.get('fresh/map')?.resourceVersion === version;
    });
    await whenProven(proof);
  });

  test('connections that all die without a word are replaced, and until then nothing is proven', async () => {
    await whenProven(proof);
    proxy.freeze();
    const frozen = performance.now();
    const version = await maps.put('map', `after ${performance.now()}`);
    await untilRunOut(proof, frozen);
    await whenProven(proof);
    expect(store.get('fresh/map')?.resourceVersion).toBe(version);
  });
});

function apiServerPid(controlPlane: ControlPlane): number {
  const pid = controlPlane
    .pids()
    .find((id) => readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('kube-apiserver\0'));
  if (pid === undefined) throw new Error('the API server does not run');
  return pid;
}

describe('on a scripted one', () => {
  const script = (latest: number) =>
    startScriptedApiServer((request, answer) =>
      isWatch(request) ? answer.write(bookmark(latest)) : page(answer, [], latest),
    );

  test('nothing is asked where nobody asks', async () => {
    const server = await script(10);
    const client = kubernetesClient(server.connection);
    const store = new Store<Seen>();
    const life = new AbortController();
    const proof = freshness(client, RESOURCE, store, { log: quiet, signal: life.signal });
    // There is nothing to prove before the first list.
    expect(proof.isProven()).toBe(false);
    store.replace([], '5');
    // Asked once; to ask again and again would have the next proof made where this one takes long.
    expect(proof.isProven()).toBe(false);
    await waitUntil('a proof of freshness', DEADLINE_MS, () => proof.ageMs() < Infinity);
    const asked = server.requests.length;
    const until = performance.now() + 1_500;
    await waitUntil('some time to pass', DEADLINE_MS, () => performance.now() > until);
    expect(server.requests).toHaveLength(asked);
    expect(proof.ageMs()).toBeGreaterThan(1_500);
    life.abort();
    expect(proof.isProven()).toBe(true);
    await client.close();
    await server.close();
  });

  test('where proofs fail at once, one a second is tried, however many ask', async () => {
    const server = await startScriptedApiServer((_request, answer) => refuse(answer, 500));
    const client = kubernetesClient(server.connection);
    const store = new Store<Seen>();
    store.replace([], '5');
    const proof = freshness(client, RESOURCE, store, { log: quiet, signal: AbortSignal.any([]) });
    const began = performance.now();
    await waitUntil('some time to pass', DEADLINE_MS, () => {
      for (let n = 0; n < 100; n += 1) expect(proof.isProven()).toBe(false);
      return server.requests.length >= 3;
    });
    const seconds = (performance.now() - began) / 1_000;
    expect(server.requests.length).toBeLessThanOrEqual(1 + Math.floor(seconds));
    await client.close();
    await server.close();
  });

  test('a store that has seen what a restored etcd does not know is not proven by it', async () => {
    const server = await script(500);
    const client = kubernetesClient(server.connection);
    const store = new Store<Seen>();
    store.replace([], '1000');
    const proof = freshness(client, RESOURCE, store, { log: quiet, signal: AbortSignal.any([]) });
    await waitUntil('three attempts', DEADLINE_MS, () => {
      expect(proof.isProven()).toBe(false);
      return server.requests.length >= 3;
    });
    store.replace([], '500');
    await whenProven(proof);
    await client.close();
    await server.close();
  });
});
