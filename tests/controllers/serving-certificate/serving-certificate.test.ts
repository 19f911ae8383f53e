// Replicas and the certificate that they make for themselves, on a real API server.
import { afterEach, describe, expect, test } from '@jest/globals';
import { randomUUID, X509Certificate } from 'node:crypto';
import { pino } from 'pino';
import { waitUntil } from '../../../dev/wait-until.ts';
import {
  servingCertificate,
  type KeptServingCertificate,
} from '../../../src/controllers/serving-certificate/serving-certificate.ts';
import { kubernetesClient } from '../../../src/kubernetes/client.ts';
import { loadConnection } from '../../../src/kubernetes/credentials.ts';
import { CERTIFICATE_MS, RENEW_BEFORE_MS } from '../../../src/tls/serving-certificate.ts';
import { testCluster } from '../../support/cluster.ts';

const cluster = await testCluster();
const SECRET = 'latchkey-tls';
const HOSTS = ['latchkey.latchkey.svc', 'latchkey.example.org'];
const DAY_MS = 86_400_000;
const DEADLINE_MS = 60_000;

interface Replica extends KeptServingCertificate {
  readonly logged: () => string;
  stop(): Promise<void>;
}

const running: Replica[] = [];
afterEach(async () => {
  for (const replica of running.splice(0)) await replica.stop();
});

async function newNamespace(): Promise<string> {
  const namespace = `tls-${randomUUID().slice(0, 8)}`;
  await cluster.kubectl(['create', 'namespace', namespace]);
  return namespace;
}

async function replicaIn(
  namespace: string,
  { hosts = HOSTS, clockIsRight = (): boolean => true } = {},
): Promise<Replica> {
  const client = kubernetesClient(await loadConnection(cluster.adminKubeconfig));
  const stop = new AbortController();
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const kept = servingCertificate({ client, namespace, hosts, clockIsRight, log, signal: stop.signal });
  const replica = {
    ...kept,
    logged: () => lines.join(''),
    async stop() {
      stop.abort();
      await client.close();
    },
  };
  running.push(replica);
  return replica;
}

const shown = (replica: KeptServingCertificate) => replica.current()?.serving.certificate;
const secretIn = async (namespace: string) =>
  JSON.parse(await cluster.kubectl(['-n', namespace, 'get', 'secret', SECRET, '-o', 'json']));
const patch = (namespace: string, change: object) =>
  cluster.kubectl(['-n', namespace, 'patch', 'secret', SECRET, '--type=merge', '-p', JSON.stringify(change)]);
const fromNow = (ms: number) => new Date(Date.now() + ms);
const isDue = fromNow(CERTIFICATE_MS - RENEW_BEFORE_MS + DAY_MS);

test('of several replicas that start at once one makes it, and all show it', async () => {
  const namespace = await newNamespace();
  const replicas = await Promise.all(Array.from({ length: 5 }, () => replicaIn(namespace)));
  await Promise.all(replicas.map((replica) => replica.start()));
  expect(new Set(replicas.map(shown)).size).toBe(1);
  expect(replicas.filter((replica) => replica.logged().includes('made a certificate'))).toHaveLength(1);

  const secret = await secretIn(namespace);
  expect(secret).toMatchObject({
    type: 'kubernetes.io/tls',
    metadata: { labels: { 'app.kubernetes.io/managed-by': 'latchkey' } },
  });
  expect(Object.keys(secret.data).toSorted()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
  const certificate = new X509Certificate(Buffer.from(secret.data['tls.crt'], 'base64'));
  for (const host of HOSTS) expect(certificate.checkHost(host)).toBe(host);
});

describe('the leader', () => {
  test('renews it when it is due and not before, and every replica takes it up', async () => {
    const namespace = await newNamespace();
    const [leader, other] = [await replicaIn(namespace), await replicaIn(namespace)];
    await leader.start();
    await other.start();
    const before = shown(leader);
    // It looks at least once an hour, whatever the clock does.
    expect((await leader.tend(fromNow(DAY_MS))).getTime()).toBeLessThanOrEqual(
      fromNow(DAY_MS + 3_600_000).getTime(),
    );
    expect(shown(leader)).toBe(before);

    await leader.tend(isDue);
    expect(shown(leader)).not.toBe(before);
    await waitUntil('the other replica to show it', DEADLINE_MS, () => shown(other) === shown(leader));
    expect(leader.logged()).toContain('renewed the certificate');
    expect(new X509Certificate(shown(leader) ?? '').validToDate.getTime()).toBeGreaterThan(isDue.getTime());
  });

  test('and another one that still thinks that it leads renew it once', async () => {
    const namespace = await newNamespace();
    const leaders = await Promise.all(Array.from({ length: 4 }, () => replicaIn(namespace)));
    await Promise.all(leaders.map((leader) => leader.start()));
    const { generation: _, resourceVersion } = (await secretIn(namespace)).metadata;
    await Promise.all(leaders.map((leader) => leader.tend(isDue)));
    expect(new Set(leaders.map(shown)).size).toBe(1);
    const { metadata } = await secretIn(namespace);
    expect(metadata.resourceVersion).not.toBe(resourceVersion);
    await leaders[0]?.tend(isDue);
    expect((await secretIn(namespace)).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  test('makes one for the names of today, under the same authority', async () => {
    const namespace = await newNamespace();
    const before = await replicaIn(namespace);
    await before.start();
    const after = await replicaIn(namespace, { hosts: ['moved.example.org'] });
    await after.start();
    await after.tend(new Date());
    expect(new X509Certificate(shown(after) ?? '').checkHost('moved.example.org')).toBeDefined();
    expect(after.current()?.trusted).toEqual(before.current()?.trusted);
  });

  test('makes a new one where it was deleted, and the old one serves until then', async () => {
    const namespace = await newNamespace();
    const leader = await replicaIn(namespace);
    await leader.start();
    const before = shown(leader);
    let changes = 0;
    leader.onChange(() => changes++);
    await cluster.kubectl(['-n', namespace, 'delete', 'secret', SECRET]);
    await waitUntil('the deletion to be known', DEADLINE_MS, () => changes > 0);
    expect(shown(leader)).toBe(before);
    await leader.tend(new Date());
    expect(shown(leader)).not.toBe(before);
    expect(leader.logged()).toContain('the certificate was deleted');
  });

  test('signs nothing while its clock is wrong', async () => {
    const namespace = await newNamespace();
    let right = false;
    const leader = await replicaIn(namespace, { clockIsRight: () => right });
    await leader.start();
    await leader.tend(fromNow(365 * DAY_MS));
    expect(leader.current()).toBeUndefined();
    right = true;
    await leader.tend(new Date());
    expect(leader.current()).toBeDefined();
    right = false;
    const before = shown(leader);
    await leader.tend(fromNow(365 * DAY_MS));
    expect(shown(leader)).toBe(before);
  });
});

test('a damaged Secret is said loudly and left alone, the old certificate serves on, and a mended one is taken up', async () => {
  const namespace = await newNamespace();
  const replica = await replicaIn(namespace);
  await replica.start();
  const { data } = await secretIn(namespace);
  const before = shown(replica);
  await patch(namespace, { stringData: { 'ca.key': 'gone' } });
  await waitUntil('it to be said', DEADLINE_MS, () => replica.logged().includes('ServingCertificateDamaged'));
  expect(replica.logged()).toContain('Delete its Secret');
  expect(replica.logged()).not.toMatch(/PRIVATE KEY/);
  await replica.tend(isDue);
  expect((await secretIn(namespace)).data).toEqual({
    ...data,
    'ca.key': Buffer.from('gone').toString('base64'),
  });
  expect(shown(replica)).toBe(before);

  const fresh = await replicaIn(namespace);
  await fresh.start();
  expect(fresh.current()).toBeUndefined();
  await patch(namespace, { data });
  await waitUntil('it to be taken up', DEADLINE_MS, () => shown(fresh) === before);
  expect(fresh.logged()).not.toMatch(/PRIVATE KEY/);
});
