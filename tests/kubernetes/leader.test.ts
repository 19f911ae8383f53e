// At most one candidate leads at any time, on a real API server, whatever is killed, cut off or taken away.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { type ApiRequest, kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { elect, type Leader } from '../../src/kubernetes/leader.ts';
import { testCluster } from '../support/cluster.ts';
import { startScriptedApiServer } from '../support/scripted-api-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { quiet, refuse } from './scripted-resource.ts';

const LEASE_MS = 4_000;
const SURE_MS = (LEASE_MS * 2) / 3;
const RETRY_MS = LEASE_MS / 7.5;
const NAMESPACE = 'leader-tests';
const LEASES = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;

const cluster = await testCluster();
let direct: KubernetesClient;
beforeAll(async () => {
  direct = kubernetesClient(await loadConnection(cluster.adminKubeconfig));
  await direct.request({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: NAMESPACE } },
  });
});
afterAll(async () => {
  await direct.request({ method: 'DELETE', path: `/api/v1/namespaces/${NAMESPACE}` });
  await direct.close();
});

interface Candidate {
  readonly leader: Leader;
  readonly proxy: TcpProxy;
  /** Answers from the API server so far. */
  answers(): number;
  /** The signals of its terms so far. */
  readonly terms: AbortSignal[];
  stop(): Promise<void>;
}

let name: string;
let candidates: Candidate[];
let most: number;
let sampling: NodeJS.Timeout;

beforeEach(() => {
  name = `lease-${Math.random().toString(36).slice(2)}`;
  candidates = [];
  most = 0;
  // Either says of itself that it leads, or has work under way that thinks so.
  sampling = setInterval(() => {
    const leading = candidates.filter(
      ({ leader, terms }) => leader.isLeading() || terms.at(-1)?.aborted === false,
    );
    most = Math.max(most, leading.length);
  }, 5);
});
afterEach(async () => {
  clearInterval(sampling);
  for (const { stop } of candidates) await stop();
  expect(most).toBeLessThanOrEqual(1);
});

type Lead = (signal: AbortSignal) => Promise<void>;
const untilAborted: Lead = async (signal) => {
  if (!signal.aborted) await once(signal, 'abort');
};

async function candidate(identity: string, lead: Lead = untilAborted): Promise<Candidate> {
  const proxy = await startTcpProxy(Number(new URL(cluster.url).port));
  const connection = await loadConnection(cluster.adminKubeconfig);
  const client = kubernetesClient({ ...connection, server: `https://127.0.0.1:${proxy.port}` });
  let answers = 0;
  const counted: KubernetesClient = {
    ...client,
    async request<T>(request: ApiRequest): Promise<T> {
      const answer = await client.request<T>(request);
      answers += 1;
      return answer;
    },
  };
  const life = new AbortController();
  const terms: AbortSignal[] = [];
  const leader = elect({
    client: counted,
    namespace: NAMESPACE,
    name,
    identity,
    leaseMs: LEASE_MS,
    log: quiet,
    signal: life.signal,
    lead: (signal) => {
      terms.push(signal);
      return lead(signal);
    },
  });
  let stopped: Promise<void> | undefined;
  const made: Candidate = {
    leader,
    proxy,
    answers: () => answers,
    terms,
    stop() {
      stopped ??= (async () => {
        life.abort();
        await leader.done;
        await client.close();
        await proxy.close();
      })();
      return stopped;
    },
  };
  candidates.push(made);
  return made;
}

const holder = () =>
  direct
    .request<{ spec: { holderIdentity?: string } }>({ method: 'GET', path: `${LEASES}/${name}` })
    .then(({ spec }) => spec.holderIdentity);

const leads = ({ leader }: Candidate, timeoutMs: number) =>
  waitUntil('a candidate to lead', timeoutMs, () => leader.isLeading());

/** Two candidates, of which the first leads. */
async function leaderAndStandby(lead?: Lead): Promise<[Candidate, Candidate]> {
  const first = await candidate('first', lead);
  await leads(first, 5_000);
  const second = await candidate('second');
  await waitUntil('the second to look', 5_000, () => second.answers() > 0);
  return [first, second];
}

test('of three that begin at once, on a Lease that is not there, one leads, and goes on leading', async () => {
  const three = await Promise.all(['a', 'b', 'c'].map((identity) => candidate(identity)));
  const leading = () => three.filter(({ leader }) => leader.isLeading());
  const [leader] = await waitUntil('one to lead', 5_000, () => leading().length > 0 && leading());
  const until = performance.now() + LEASE_MS * 1.5;
  await waitUntil('more than a lease to pass', LEASE_MS * 2, () => {
    expect(leading()).toEqual([leader]);
    return performance.now() > until;
  });
  expect(three.flatMap(({ terms }) => terms)).toHaveLength(1);
});

test('a leader that is told to stop hands over at once', async () => {
  const [first, second] = await leaderAndStandby();
  const began = performance.now();
  await first.stop();
  await leads(second, LEASE_MS);
  expect(performance.now() - began).toBeLessThan(RETRY_MS * 2 + 500);
  expect(first.leader.isLeading()).toBe(false);
});

test('a leader that is told to stop finishes its work before it hands over', async () => {
  let finished = false;
  const [first, second] = await leaderAndStandby(async (signal) => {
    await untilAborted(signal);
    const until = performance.now() + 1_000;
    await waitUntil('the work to end', 5_000, () => performance.now() > until);
    finished = true;
  });
  const stopped = first.stop();
  await leads(second, LEASE_MS);
  expect(finished).toBe(true);
  await stopped;
});

test('a standby that is told to stop leaves the Lease alone', async () => {
  const [first, second] = await leaderAndStandby();
  const began = performance.now();
  await second.stop();
  expect(performance.now() - began).toBeLessThan(1_000);
  await expect(holder()).resolves.toBe('first');
  expect(first.leader.isLeading()).toBe(true);
  expect(second.terms).toEqual([]);
});

test('a leader that is killed is replaced when its lease is over, and not before', async () => {
  const script = `
    import { elect } from './src/kubernetes/leader.ts';
    import { kubernetesClient } from './src/kubernetes/client.ts';
    import { loadConnection } from './src/kubernetes/credentials.ts';
    import { createLog } from './src/log.ts';
    elect({
      client: kubernetesClient(await loadConnection('${cluster.adminKubeconfig}')),
      namespace: '${NAMESPACE}', name: '${name}', identity: 'victim', leaseMs: ${LEASE_MS},
      log: createLog('info', { write() {} }), signal: new AbortController().signal,
      lead: async () => console.log('leading'),
    });
  `;
  const victim = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(victim.stdout, 'data');
    const second = await candidate('second');
    await waitUntil('the second to look', 5_000, () => second.answers() > 0);
    victim.kill('SIGKILL');
    const killed = performance.now();
    await leads(second, LEASE_MS * 2);
    const took = performance.now() - killed;
    // Counted from the last renewal that the second has seen.
    expect(took).toBeGreaterThan(LEASE_MS - 2 * RETRY_MS - 500);
    expect(took).toBeLessThan(LEASE_MS + 2 * RETRY_MS + 500);
  } finally {
    victim.kill('SIGKILL');
  }
});

test('a leader that is cut off knows it, and ends its work, before another takes over', async () => {
  const [first, second] = await leaderAndStandby();
  first.proxy.freezeAll();
  const cut = performance.now();
  await waitUntil('the first to know', LEASE_MS, () => !first.leader.isLeading());
  expect(performance.now() - cut).toBeLessThan(SURE_MS + 200);
  expect(second.leader.isLeading()).toBe(false);
  await waitUntil('its work to be told', 500, () => first.terms[0]?.aborted);
  expect(second.leader.isLeading()).toBe(false);
  await leads(second, LEASE_MS * 2);

  // It comes back as a standby.
  first.proxy.thaw();
  const until = performance.now() + LEASE_MS;
  await waitUntil('a lease to pass', LEASE_MS * 2, () => {
    expect(first.leader.isLeading()).toBe(false);
    return performance.now() > until;
  });
  await expect(holder()).resolves.toBe('second');
});

test('a leader whose Lease is deleted makes it again, and no standby is faster', async () => {
  const [first, second] = await leaderAndStandby();
  for (let round = 0; round < 5; round += 1) {
    await direct.request({ method: 'DELETE', path: `${LEASES}/${name}` });
    await waitUntil('the Lease to be there', LEASE_MS, async () => {
      const identity = await holder().catch(() => undefined);
      return identity === 'first';
    });
  }
  expect(first.leader.isLeading()).toBe(true);
  expect(first.terms).toHaveLength(1);
  expect(second.terms).toEqual([]);
});

test('a leader whose Lease somebody else has taken steps down', async () => {
  const first = await candidate('first');
  await leads(first, 5_000);
  await direct.request({
    method: 'PATCH',
    path: `${LEASES}/${name}`,
    contentType: 'application/merge-patch+json',
    body: { spec: { holderIdentity: 'an admin', leaseDurationSeconds: 3_600 } },
  });
  await waitUntil('it to step down', LEASE_MS, () => !first.leader.isLeading());
  await waitUntil('its work to be told', LEASE_MS, () => first.terms[0]?.aborted);
  await expect(holder()).resolves.toBe('an admin');
});

test('work that fails begins anew, in another term', async () => {
  let failures = 0;
  const first = await candidate('first', async (signal) => {
    failures += 1;
    if (failures < 3) throw new Error('the work failed');
    await untilAborted(signal);
  });
  await waitUntil('the third term', 10_000, () => first.terms.length === 3);
  expect(first.terms.map(({ aborted }) => aborted)).toEqual([true, true, false]);
  expect(first.leader.isLeading()).toBe(true);
});

test('after the machine has slept, a leader does not believe in its old lease', async () => {
  const first = await candidate('first');
  await leads(first, 5_000);
  // The monotonic clock of Linux stands still meanwhile, so that it alone would say nothing.
  const wake = Date.now() + 60_000;
  jest.spyOn(Date, 'now').mockReturnValue(wake);
  try {
    expect(first.leader.isLeading()).toBe(false);
  } finally {
    jest.restoreAllMocks();
  }
});

describe('on a scripted API server', () => {
  test('a renewal that hangs does not keep the work of the term alive', async () => {
    let lease: object | undefined;
    let hang = false;
    const server = await startScriptedApiServer(async (request, answer) => {
      if (request.method === 'GET' && !lease) return refuse(answer, 404);
      if (request.method === 'GET') return answer.end(JSON.stringify(lease));
      if (hang) return undefined;
      let body = '';
      for await (const chunk of request.body) body += String(chunk);
      lease = { ...JSON.parse(body), metadata: { name, namespace: NAMESPACE, resourceVersion: '1' } };
      return answer.end(body);
    });
    const client = kubernetesClient(server.connection);
    const life = new AbortController();
    let term: AbortSignal | undefined;
    const leader = elect({
      client,
      namespace: NAMESPACE,
      name,
      identity: 'first',
      leaseMs: LEASE_MS,
      log: quiet,
      signal: life.signal,
      lead: (signal) => {
        term = signal;
        return untilAborted(signal);
      },
    });
    await waitUntil('it to lead', 5_000, () => leader.isLeading() && term);
    hang = true;
    const hung = performance.now();
    await waitUntil('the work to be told', LEASE_MS * 2, () => term?.aborted);
    // The last good renewal began before, so it is over sooner than that; the watchdog looks now and then.
    expect(performance.now() - hung).toBeLessThan(SURE_MS * 1.1);
    expect(leader.isLeading()).toBe(false);
    life.abort();
    await leader.done;
    await client.close();
    await server.close();
  });
});
