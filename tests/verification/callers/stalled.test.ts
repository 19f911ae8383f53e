// A caller that was removed is nobody to a replica whose watches have stalled, or that is cut off: on a real API server.
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { addCallerNamed, removeCallerNamed } from '../../../src/commands/callers.ts';
import { kubernetesClient, type ApiRequest, type KubernetesClient } from '../../../src/kubernetes/client.ts';
import { loadConnection } from '../../../src/kubernetes/credentials.ts';
import { FRESH_MS } from '../../../src/kubernetes/freshness.ts';
import { watchCallers, type Callers } from '../../../src/verification/callers/callers.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { adminClient, newNamespace } from '../../controllers/signing-keys/replica.ts';
import { testCluster } from '../../support/cluster.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { untilNoMore } from '../../support/until-no-more.ts';

const DEADLINE_MS = 60_000;

const cluster = await testCluster();
const admin = await adminClient(cluster);
afterAll(() => admin.close());

let namespace: string;
let token: string;
let proxy: TcpProxy;
let direct: KubernetesClient;
let requests: ApiRequest[];
let life: AbortController;
let callers: Callers;

beforeEach(async () => {
  namespace = await newNamespace(cluster);
  const lines: string[] = [];
  const out = (line: string) => void lines.push(line);
  await addCallerNamed({ client: admin, namespace, out, note: () => undefined }, 'web');
  [token = ''] = lines;
  proxy = await startTcpProxy(Number(new URL(cluster.url).port));
  const connection = await loadConnection(cluster.adminKubeconfig);
  direct = kubernetesClient({ ...connection, server: `https://127.0.0.1:${proxy.port}` });
  requests = [];
  const client: KubernetesClient = {
    ...direct,
    request(request) {
      requests.push(request);
      return direct.request(request);
    },
  };
  life = new AbortController();
  callers = watchCallers({ client, namespace, log: pino({ level: 'silent' }), signal: life.signal });
  await callers.start();
});
afterEach(async () => {
  life.abort();
  await direct.close();
  await proxy.close();
});

const outcome = async () => (await callers.authenticate({ token })).outcome;
const untilProven = () => waitUntil('a proof', DEADLINE_MS, () => callers.freshness.isProven());
const untilUnknown = (removed: number) =>
  untilNoMore('no caller any more', removed, async () => (await outcome()) === 'Known');
const remove = () =>
  removeCallerNamed({ client: admin, namespace, out: () => undefined, note: () => undefined }, 'web');

test('at first it is read for the caller, once for all who ask, and then the proven watch is enough', async () => {
  const before = requests.length;
  expect(await Promise.all(Array.from({ length: 50 }, outcome))).toEqual(
    Array.from({ length: 50 }, () => 'Known'),
  );
  const reads = requests.slice(before).filter(({ path }) => path.endsWith('/latchkey-callers'));
  expect(reads).toHaveLength(1);
  await untilProven();
  expect(await outcome()).toBe('Known');
  expect(requests.filter(({ path }) => path.endsWith('/latchkey-callers'))).toHaveLength(1);
});

test('a stranger costs the API server nothing', async () => {
  const before = requests.length;
  for (const other of ['lkc_other', '', 'x'.repeat(10_000)])
    expect(await callers.authenticate({ token: other })).toEqual({ outcome: 'Stranger' });
  expect(await callers.authenticate({ token, name: 'another' })).toEqual({ outcome: 'Stranger' });
  expect(requests).toHaveLength(before);
});

test('where the watch has stalled, a removed caller is out within the age of a proof, and for good', async () => {
  await untilProven();
  // The first connection carries requests, the second the watches.
  proxy.freeze(2);
  await remove();
  const removed = performance.now();
  await untilUnknown(removed);
  await waitUntil('more than a proof lasts to pass', DEADLINE_MS, async () => {
    const said = await outcome();
    expect(said).not.toBe('Known');
    return said === 'Stranger' && performance.now() > removed + FRESH_MS + 2_000;
  });
});

test('where the Secret was deleted meanwhile, too', async () => {
  await untilProven();
  proxy.freeze(2);
  await cluster.kubectl(['-n', namespace, 'delete', 'secret', 'latchkey-callers']);
  await untilUnknown(performance.now());
  await waitUntil('the refusal', DEADLINE_MS, async () => (await outcome()) === 'Stranger');
});

test('cut off, it cannot say, and lets nobody ask; back again, it knows', async () => {
  await untilProven();
  proxy.freezeAll();
  await remove();
  await untilUnknown(performance.now());
  expect(await outcome()).toBe('Undecided');
  proxy.thaw();
  await waitUntil('it to know', DEADLINE_MS, async () => {
    const now = await outcome();
    expect(now).not.toBe('Known');
    return now === 'Stranger';
  });
});
