// Replicas and their signing keys, on a real API server.
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { waitUntil } from '../../../dev/wait-until.ts';
import { signingKeys } from '../../../src/controllers/signing-keys/signing-keys.ts';
import { kubernetesClient } from '../../../src/kubernetes/client.ts';
import { publishedKeys, type Keyring } from '../../../src/issuer/keyring.ts';
import { testCluster } from '../../support/cluster.ts';
import { INTERVAL_MS, knows, knowsNone, newNamespace, startReplica, type Replica } from './replica.ts';

const cluster = await testCluster();
const SECRET = 'latchkey-signing-keys';
const running: Replica[] = [];
afterEach(async () => {
  for (const replica of running.splice(0)) await replica.stop();
});

async function replicaIn(
  namespace: string,
  kubeconfig?: string,
  clockIsRight?: () => boolean,
): Promise<Replica> {
  const replica = await startReplica(cluster, namespace, kubeconfig, clockIsRight);
  running.push(replica);
  return replica;
}

const kidsOf = (keyring: Keyring | undefined) => keyring && publishedKeys(keyring).map(({ kid }) => kid);
const fromNow = (ms: number) => new Date(Date.now() + ms);
const text = (replica: Replica) => replica.logged.join('');

async function dataIn(namespace: string): Promise<string> {
  return cluster.kubectl(['-n', namespace, 'get', 'secret', SECRET, '-o', 'jsonpath={.data.keyring\\.json}']);
}

async function damage(namespace: string): Promise<void> {
  const patch = JSON.stringify({ stringData: { 'keyring.json': '{"active":"gone"}' } });
  await cluster.kubectl(['-n', namespace, 'patch', 'secret', SECRET, '-p', patch]);
}

describe('the first start', () => {
  it('of several replicas at once ends with one keyring that all of them know', async () => {
    const namespace = await newNamespace(cluster);
    const replicas = await Promise.all(Array.from({ length: 5 }, () => replicaIn(namespace)));
    await Promise.all(replicas.map((replica) => replica.start()));
    const [first, ...others] = replicas.map((replica) => kidsOf(replica.keyring()));
    expect(first).toHaveLength(2);
    for (const other of others) expect(other).toEqual(first);
    for (const replica of replicas) expect(replica.cannotMint()).toBeUndefined();
    expect(replicas.filter((replica) => text(replica).includes('new ones were made'))).toHaveLength(1);
  });

  it('makes a Secret that says what it is', async () => {
    const namespace = await newNamespace(cluster);
    await (await replicaIn(namespace)).start();
    const secret = JSON.parse(
      await cluster.kubectl(['-n', namespace, 'get', 'secret', SECRET, '-o', 'json']),
    );
    expect(secret).toMatchObject({
      type: 'latchkey.dev/signing-keys',
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'latchkey' } },
    });
    expect(Object.keys(secret.data)).toEqual(['keyring.json']);
  });

  it('makes no keys by a clock that is wrong, and makes them once it is right', async () => {
    const namespace = await newNamespace(cluster);
    let right = false;
    const replica = await replicaIn(namespace, undefined, () => right);
    await replica.start();
    await replica.tend(new Date());
    expect(replica.cannotMint()).toMatchObject({ reason: 'NoSigningKey' });
    right = true;
    await replica.tend(new Date());
    expect(replica.cannotMint()).toBeUndefined();
  });

  it('takes the keys that are there', async () => {
    const namespace = await newNamespace(cluster);
    const before = await replicaIn(namespace);
    await before.start();
    const after = await replicaIn(namespace);
    await after.start();
    expect(kidsOf(after.keyring())).toEqual(kidsOf(before.keyring()));
  });

  it('ends without keys, and says so, until the Secret may be made', async () => {
    const namespace = await newNamespace(cluster);
    const grant = (name: string, ...args: string[]) =>
      Promise.all([
        cluster.kubectl(['-n', namespace, 'create', 'role', name, '--resource=secrets', ...args]),
        cluster.kubectl([
          '-n',
          namespace,
          'create',
          'rolebinding',
          name,
          `--role=${name}`,
          `--user=${namespace}`,
        ]),
      ]);
    await grant('reads', '--verb=get,list,watch');
    const replica = await replicaIn(namespace, await cluster.clientKubeconfig(namespace));
    await replica.start();
    expect(replica.keyring()).toBeUndefined();
    expect(replica.cannotMint()).toMatchObject({ reason: 'NoSigningKey' });
    expect(text(replica)).toContain('cannot create resource');

    const again = await replica.tend(new Date());
    expect(again.getTime() - Date.now()).toBeLessThan(10_000);
    await grant('makes', '--verb=create');
    await waitUntil('the keys to be made', 60_000, async () => {
      await replica.tend(new Date());
      return replica.cannotMint() === undefined;
    });
  });
});

describe('a rotation on schedule', () => {
  it('by the leader is seen by the other replicas, and the old key stays published', async () => {
    const namespace = await newNamespace(cluster);
    const [leader, other] = [await replicaIn(namespace), await replicaIn(namespace)];
    await Promise.all([leader.start(), other.start()]);
    const before = leader.keyring();

    await leader.tend(fromNow(INTERVAL_MS + 1_000));
    const after = leader.keyring();
    expect(after?.active.kid).toBe(before?.next.kid);
    expect(after?.retired.map(({ kid }) => kid)).toEqual([before?.active.kid]);
    const seen = await knows(
      other,
      'the other replica to see the rotation',
      ({ retired }) => retired.length === 1,
    );
    expect(kidsOf(seen)).toEqual(kidsOf(after));
  });

  it('does not come before its time', async () => {
    const namespace = await newNamespace(cluster);
    const replica = await replicaIn(namespace);
    await replica.start();
    const data = await dataIn(namespace);
    const again = await replica.tend(fromNow(INTERVAL_MS - 60_000));
    expect(await dataIn(namespace)).toBe(data);
    expect(again.getTime() - Date.now()).toBeLessThanOrEqual(INTERVAL_MS);
    expect((await replica.tend(new Date())).getTime() - Date.now()).toBeLessThanOrEqual(3_600_000);
  });

  it('does not come by a clock that is wrong: no key is rotated or withdrawn', async () => {
    const namespace = await newNamespace(cluster);
    let right = true;
    const replica = await replicaIn(namespace, undefined, () => right);
    await replica.start();
    await replica.tend(fromNow(INTERVAL_MS + 1_000));
    expect(replica.keyring()?.retired).toHaveLength(1);
    const data = await dataIn(namespace);

    right = false;
    const nextYear = fromNow(366 * 24 * 3_600_000);
    const again = await replica.tend(nextYear);
    expect(again.getTime() - nextYear.getTime()).toBeLessThanOrEqual(10_000);
    expect(await dataIn(namespace)).toBe(data);

    right = true;
    await replica.tend(nextYear);
    expect(await dataIn(namespace)).not.toBe(data);
  });

  it('by two that both believe that they lead happens once', async () => {
    const namespace = await newNamespace(cluster);
    const [one, two] = [await replicaIn(namespace), await replicaIn(namespace)];
    await Promise.all([one.start(), two.start()]);
    const at = fromNow(INTERVAL_MS + 1_000);
    await Promise.all([one.tend(at), two.tend(at)]);
    for (const replica of [one, two]) {
      const keyring = await knows(replica, 'the rotation', ({ retired }) => retired.length > 0);
      expect(keyring.retired).toHaveLength(1);
    }
    expect(kidsOf(one.keyring())).toEqual(kidsOf(two.keyring()));
  });

  it('drops a retired key later, and leaves alone what else an admin has put on the Secret', async () => {
    const namespace = await newNamespace(cluster);
    const replica = await replicaIn(namespace);
    await replica.start();
    await cluster.kubectl(['-n', namespace, 'label', 'secret', SECRET, 'backup=daily']);
    const rotatedAt = fromNow(INTERVAL_MS + 1_000);
    const again = await replica.tend(rotatedAt);
    expect(again.getTime()).toBeLessThanOrEqual(rotatedAt.getTime() + 3_600_000);
    await replica.tend(new Date(rotatedAt.getTime() + 25 * 3_600_000));
    expect(replica.keyring()?.retired).toEqual([]);
    const labels = await cluster.kubectl([
      '-n',
      namespace,
      'get',
      'secret',
      SECRET,
      '-o',
      'jsonpath={.metadata.labels}',
    ]);
    expect(JSON.parse(labels)).toMatchObject({ backup: 'daily' });
  });
});

describe('a damaged Secret', () => {
  it('stops every replica from minting, is not overwritten, and heals when it is put back', async () => {
    const namespace = await newNamespace(cluster);
    const [leader, other] = [await replicaIn(namespace), await replicaIn(namespace)];
    await Promise.all([leader.start(), other.start()]);
    const kids = kidsOf(leader.keyring());
    const good = await dataIn(namespace);
    let told = 0;
    other.onChange(() => (told += 1));

    await damage(namespace);
    for (const replica of [leader, other]) {
      await knowsNone(replica, 'the damage to be seen');
      expect(replica.cannotMint()).toMatchObject({ reason: 'NoSigningKey' });
      expect(text(replica)).toContain('keyring.json.active: invalid_type');
    }
    expect(told).toBe(1);

    await leader.tend(fromNow(2 * INTERVAL_MS));
    expect(Buffer.from(await dataIn(namespace), 'base64').toString()).toBe('{"active":"gone"}');

    const patch = JSON.stringify({ data: { 'keyring.json': good } });
    await cluster.kubectl(['-n', namespace, 'patch', 'secret', SECRET, '-p', patch]);
    for (const replica of [leader, other])
      expect(kidsOf(await knows(replica, 'the mended keys', () => true))).toEqual(kids);
  });

  it('does not stop a replica from starting', async () => {
    const namespace = await newNamespace(cluster);
    await (await replicaIn(namespace)).start();
    await damage(namespace);
    const late = await replicaIn(namespace);
    await late.start();
    expect(late.keyring()).toBeUndefined();
    expect(late.cannotMint()).toMatchObject({ reason: 'NoSigningKey' });
  });
});

describe('a deleted Secret', () => {
  it('is never written back: no replica signs until the leader has made new keys', async () => {
    const namespace = await newNamespace(cluster);
    const [leader, other] = [await replicaIn(namespace), await replicaIn(namespace)];
    await Promise.all([leader.start(), other.start()]);
    const before = new Set(kidsOf(leader.keyring()));

    await cluster.kubectl(['-n', namespace, 'delete', 'secret', SECRET]);
    for (const replica of [leader, other]) {
      await knowsNone(replica, 'the deletion to be seen');
      expect(text(replica)).toContain('the signing keys were deleted');
    }

    await leader.tend(new Date());
    const seen = await knows(other, 'the new keys', () => true);
    expect(kidsOf(seen)).toEqual(kidsOf(leader.keyring()));
    expect(seen.retired).toEqual([]);
    expect(kidsOf(seen)?.filter((kid) => before.has(kid))).toEqual([]);
  });
});

describe('the log', () => {
  it('holds no private number of a key, whatever happens', async () => {
    const namespace = await newNamespace(cluster);
    const replica = await replicaIn(namespace);
    await replica.start();
    const numbers = await privateNumbers(namespace);
    await replica.tend(fromNow(INTERVAL_MS + 1_000));
    numbers.push(...(await privateNumbers(namespace)));
    await damage(namespace);
    await knowsNone(replica, 'the damage to be seen');
    expect(numbers).toHaveLength(4);
    expect(text(replica)).toContain('signing keys');
    for (const number of numbers) expect(text(replica)).not.toContain(number);
  });
});

describe('without an API server', () => {
  // The shared one cannot be stopped: a port that nobody listens on answers like one that is down.
  it('a replica waits, and says why it mints nothing', async () => {
    const stop = new AbortController();
    const client = kubernetesClient({
      server: 'https://127.0.0.1:1',
      tls: {},
      authorization: async () => ({}),
      forget: () => undefined,
    });
    const keys = signingKeys({
      client,
      namespace: 'default',
      rotationIntervalMs: INTERVAL_MS,
      clockIsRight: () => true,
      log: pino({ level: 'silent' }),
      signal: stop.signal,
    });
    const started = keys.start();
    const now = new Date();
    expect((await keys.tend(now)).getTime()).toBeGreaterThan(now.getTime());
    expect(keys.cannotMint()).toMatchObject({ reason: 'NoSigningKey' });
    stop.abort();
    await started;
    await client.close();
  });
});

async function privateNumbers(namespace: string): Promise<string[]> {
  const document = Buffer.from(await dataIn(namespace), 'base64').toString();
  return [...document.matchAll(/"d":"([\w-]{43})"/g)].map(([, number]) => String(number));
}
