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

const whenProven = (proof: Freshness, timeoutMs: number) =>
  waitUntil('a proof of freshness', timeoutMs, () => proof.isProven());

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
    await waitUntil('the watch to begin', 5_000, () => proxy.connections() === 2);
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

  test('a proof is there about three seconds after the first question, though nothing happens to the resource', async () => {
    expect(proof.ageMs()).toBe(Infinity);
    for (let round = 0; round < 3; round += 1) {
      await elsewhere();
      const fresh = freshness(client, maps.resource, store, { log: quiet, signal: life.signal });
      expect(fresh.isProven()).toBe(false);
      const began = performance.now();
      await whenProven(fresh, 10_000);
      expect(performance.now() - began).toBeLessThan(4_000);
      expect(fresh.ageMs()).toBeLessThan(FRESH_MS);
    }
  });

  test('while there is demand, one proof follows the other without a gap', async () => {
    await whenProven(proof, 10_000);
    const until = performance.now() + 8_000;
    let oldest = 0;
    await waitUntil('eight seconds to pass', 10_000, async () => {
      await elsewhere();
      expect(proof.isProven()).toBe(true);
      oldest = Math.max(oldest, proof.ageMs());
      return performance.now() > until;
    });
    expect(oldest).toBeLessThan(FRESH_MS);
  });

  test('what is proven holds what was written before the question', async () => {
    const version = await direct
      .request<{ metadata: { resourceVersion: string } }>({
        method: 'GET',
        path: `${maps.resource.path}/map`,
      })
      .then(({ metadata }) => metadata.resourceVersion);
    await whenProven(proof, 10_000);
    expect(store.get('fresh/map')?.resourceVersion).toBe(version);
    expect(store.hasReached(version)).toBe(true);
  });

  test('there is none while the API server stands still, and there is one again when it goes on', async () => {
    await whenProven(proof, 10_000);
    const pid = apiServerPid(controlPlane);
    process.kill(pid, 'SIGSTOP');
    try {
      const stopped = performance.now();
      await waitUntil('the proof to run out', FRESH_MS + 1_000, () => !proof.isProven());
      expect(performance.now() - stopped).toBeLessThan(FRESH_MS + 200);
      const until = performance.now() + 4_000;
      await waitUntil('four seconds to pass without a proof', 6_000, () => {
        expect(proof.isProven()).toBe(false);
        return performance.now() > until;
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await whenProven(proof, 20_000);
  });

  test('a long watch that has stalled does not keep the store stale: the proof brings the events itself', async () => {
    await whenProven(proof, 10_000);
    // The first connection carries a request, the second the long watches.
    proxy.freeze(2);
    const version = await maps.put('map', `after ${performance.now()}`);
    const began = performance.now();
    await waitUntil('the event', 10_000, () => {
      proof.isProven();
      return store.hasReached(version) && store.get('fresh/map')?.resourceVersion === version;
    });
    expect(performance.now() - began).toBeLessThan(4_000);
    await whenProven(proof, 4_000);
  });

  test('connections that all die without a word are replaced, and until then nothing is proven', async () => {
    await whenProven(proof, 10_000);
    proxy.freeze();
    const version = await maps.put('map', `after ${performance.now()}`);
    await waitUntil('the proof to run out', FRESH_MS + 1_000, () => !proof.isProven());
    await waitUntil('a proof', 20_000, () => proof.isProven());
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
    await waitUntil('a proof of freshness', 5_000, () => proof.ageMs() < Infinity);
    const asked = server.requests.length;
    const until = performance.now() + 1_500;
    await waitUntil('some time to pass', 3_000, () => performance.now() > until);
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
    const until = performance.now() + 2_500;
    await waitUntil('some time to pass', 5_000, () => {
      for (let n = 0; n < 100; n += 1) expect(proof.isProven()).toBe(false);
      return performance.now() > until;
    });
    expect(server.requests.length).toBeGreaterThanOrEqual(2);
    expect(server.requests.length).toBeLessThanOrEqual(3);
    await client.close();
    await server.close();
  });

  test('a store that has seen what a restored etcd does not know is not proven by it', async () => {
    const server = await script(500);
    const client = kubernetesClient(server.connection);
    const store = new Store<Seen>();
    store.replace([], '1000');
    const proof = freshness(client, RESOURCE, store, { log: quiet, signal: AbortSignal.any([]) });
    await waitUntil('three attempts', 5_000, () => {
      expect(proof.isProven()).toBe(false);
      return server.requests.length >= 3;
    });
    store.replace([], '500');
    await whenProven(proof, 5_000);
    await client.close();
    await server.close();
  });
});
