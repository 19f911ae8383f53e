// At most one candidate leads at any time, on a real API server, whatever is killed, cut off or taken away.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { type ApiRequest, kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { elect, type Leader } from '../../src/kubernetes/leader.ts';
import { afterTest, besideOthers } from '../support/after-test.ts';
import { testCluster } from '../support/cluster.ts';
import { startScriptedApiServer } from '../support/scripted-api-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { quiet, refuse } from './scripted-resource.ts';

/** Two thirds of it are what a leader may be kept from its Lease by a busy machine. */
const LEASE_MS = 9_000;
const SURE_MS = (LEASE_MS * 2) / 3;
const RETRY_MS = LEASE_MS / 7.5;
/** For what a busy machine does in its own time. */
const DEADLINE_MS = 60_000;
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

type Lead = (signal: AbortSignal) => Promise<void>;
const untilAborted: Lead = async (signal) => {
  if (!signal.aborted) await once(signal, 'abort');
};

interface Lease {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly acquireTime: string;
    readonly renewTime: string;
  };
}

interface Ground {
  /** Of the Lease. */
  readonly name: string;
  readonly path: string;
  candidate(identity: string, lead?: Lead): Promise<Candidate>;
  lease(): Promise<Lease['spec']>;
  /** Two candidates, of which the first leads. */
  leaderAndStandby(lead?: Lead): Promise<[Candidate, Candidate]>;
}

/** A Lease of its own for each test, so that they wait side by side; at no time may two lead. */
function ground(): Ground {
  const name = `lease-${randomUUID()}`;
  const path = `${LEASES}/${name}`;
  const candidates: Candidate[] = [];
  let most = 0;
  // Either says of itself that it leads, or has work under way that thinks so.
  const sampling = setInterval(() => {
    const leading = candidates.filter(
      ({ leader, terms }) => leader.isLeading() || terms.at(-1)?.aborted === false,
    );
    most = Math.max(most, leading.length);
  }, 5);
  afterTest(async () => {
    clearInterval(sampling);
    for (const { stop } of candidates) await stop();
    expect(most).toBeLessThanOrEqual(1);
  });

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
        // Node has one that was made of others say "aborted" for good only where somebody listens: theirs may be collected.
        signal.addEventListener('abort', () => undefined);
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

  return {
    name,
    path,
    candidate,
    lease: async () => (await direct.request<Lease>({ method: 'GET', path })).spec,
    async leaderAndStandby(lead) {
      const first = await candidate('first', lead);
      await leads(first);
      const second = await candidate('second');
      await waitUntil('the second to look', DEADLINE_MS, () => second.answers() > 0);
      return [first, second];
    },
  };
}

const leads = ({ leader }: Candidate) =>
  waitUntil('a candidate to lead', DEADLINE_MS, () => leader.isLeading());

/** Looks all the time, for longer than a lease that nobody has renewed lasts. */
async function forMoreThanALease(look: () => void): Promise<void> {
  const until = performance.now() + LEASE_MS * 1.5;
  await waitUntil('more than a lease to pass', LEASE_MS * 2, () => {
    look();
    return performance.now() > until;
  });
}

test.concurrent(
  'of three that begin at once, on a Lease that is not there, one leads, and goes on leading',
  besideOthers(async () => {
    const { candidate } = ground();
    const three = await Promise.all(['a', 'b', 'c'].map((identity) => candidate(identity)));
    const leading = () => three.filter(({ leader }) => leader.isLeading());
    const [leader] = await waitUntil('one to lead', DEADLINE_MS, () => leading().length > 0 && leading());
    await forMoreThanALease(() => expect(leading()).toEqual([leader]));
    expect(three.flatMap(({ terms }) => terms)).toHaveLength(1);
  }),
);

test.concurrent(
  'a leader that is told to stop hands over at once',
  besideOthers(async () => {
    const { leaderAndStandby, lease } = ground();
    const [first, second] = await leaderAndStandby();
    await first.stop();
    expect(first.leader.isLeading()).toBe(false);
    const looks = second.answers();
    await leads(second);
    // The look that was under way, and the next, which finds nobody and takes it: it does not sit the lease out.
    expect(second.answers() - looks).toBeLessThanOrEqual(3);
    expect((await lease()).holderIdentity).toBe('second');
  }),
);

test.concurrent(
  'a leader that is told to stop finishes its work before it hands over',
  besideOthers(async () => {
    let finished = false;
    const { leaderAndStandby } = ground();
    const [first, second] = await leaderAndStandby(async (signal) => {
      await untilAborted(signal);
      const until = performance.now() + 1_000;
      await waitUntil('the work to end', DEADLINE_MS, () => performance.now() > until);
      finished = true;
    });
    const stopped = first.stop();
    await leads(second);
    expect(finished).toBe(true);
    await stopped;
  }),
);

test.concurrent(
  'a standby that is told to stop leaves the Lease alone',
  besideOthers(async () => {
    const { leaderAndStandby, lease } = ground();
    const [first, second] = await leaderAndStandby();
    await second.stop();
    expect((await lease()).holderIdentity).toBe('first');
    expect(first.leader.isLeading()).toBe(true);
    expect(second.terms).toEqual([]);
  }),
);

test.concurrent(
  'a leader that is killed is replaced when its lease is over, and not before',
  besideOthers(async () => {
    const { name, candidate, lease } = ground();
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
      await waitUntil('the second to look', DEADLINE_MS, () => second.answers() > 0);
      victim.kill('SIGKILL');
      await once(victim, 'exit');
      const { renewTime } = await lease();
      const looks = second.answers();
      await leads(second);
      const { acquireTime, holderIdentity } = await lease();
      expect(holderIdentity).toBe('second');
      // Counted from the last renewal, which the second saw after it was made; each time is cut to its millisecond.
      expect(Date.parse(acquireTime) - Date.parse(renewTime)).toBeGreaterThanOrEqual(LEASE_MS - 1);
      // One look sees the last renewal; those that find the lease not yet over are 0.9 of the pause apart at least; one takes it.
      expect(second.answers() - looks).toBeLessThanOrEqual(1 + Math.ceil(LEASE_MS / (RETRY_MS * 0.9)) + 2);
    } finally {
      victim.kill('SIGKILL');
    }
  }),
);

test.concurrent(
  'a leader that is cut off knows it, and ends its work, before another takes over',
  besideOthers(async () => {
    const { leaderAndStandby, lease } = ground();
    const [first, second] = await leaderAndStandby();
    let ledAtItsEnd: boolean | undefined;
    first.terms[0]?.addEventListener('abort', () => (ledAtItsEnd = second.leader.isLeading()));
    first.proxy.freezeAll();
    const cut = performance.now();
    await waitUntil('its work to be told', DEADLINE_MS, () => {
      // Asked after the time, the answer cannot be one of before.
      const isOver = performance.now() > cut + SURE_MS;
      const isLeading = first.leader.isLeading();
      if (isOver) expect(isLeading).toBe(false);
      return first.terms[0]?.aborted;
    });
    expect(first.leader.isLeading()).toBe(false);
    expect(ledAtItsEnd).toBe(false);
    await leads(second);

    // It comes back as a standby.
    first.proxy.thaw();
    await forMoreThanALease(() => expect(first.leader.isLeading()).toBe(false));
    expect((await lease()).holderIdentity).toBe('second');
  }),
);

test.concurrent(
  'a leader whose Lease is deleted makes it again, and no standby is faster',
  besideOthers(async () => {
    const { path, leaderAndStandby, lease } = ground();
    const [first, second] = await leaderAndStandby();
    for (let round = 0; round < 5; round += 1) {
      await direct.request({ method: 'DELETE', path });
      await waitUntil('the Lease to be there', DEADLINE_MS, async () => {
        const found = await lease().catch(() => undefined);
        return found?.holderIdentity === 'first';
      });
      // Else it would know for longer than a lease of none that is there, and take it by right.
      const looks = second.answers();
      await waitUntil('the second to see it', DEADLINE_MS, () => second.answers() > looks);
    }
    expect(first.leader.isLeading()).toBe(true);
    expect(first.terms).toHaveLength(1);
    expect(second.terms).toEqual([]);
  }),
);

test.concurrent(
  'a leader whose Lease somebody else has taken steps down',
  besideOthers(async () => {
    const { path, candidate, lease } = ground();
    const first = await candidate('first');
    await leads(first);
    await direct.request({
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      body: { spec: { holderIdentity: 'an admin', leaseDurationSeconds: 3_600 } },
    });
    await waitUntil('it to step down', DEADLINE_MS, () => !first.leader.isLeading());
    await waitUntil('its work to be told', DEADLINE_MS, () => first.terms[0]?.aborted);
    expect((await lease()).holderIdentity).toBe('an admin');
  }),
);

test.concurrent(
  'work that fails begins anew, in another term',
  besideOthers(async () => {
    let failures = 0;
    const { candidate } = ground();
    const first = await candidate('first', async (signal) => {
      failures += 1;
      if (failures < 3) throw new Error('the work failed');
      await untilAborted(signal);
    });
    await waitUntil('the third term', DEADLINE_MS, () => first.terms.length === 3);
    expect(first.terms.map(({ aborted }) => aborted)).toEqual([true, true, false]);
    expect(first.leader.isLeading()).toBe(true);
  }),
);

test.concurrent(
  'after the machine has slept, a leader does not believe in its old lease',
  besideOthers(async () => {
    const { candidate } = ground();
    const first = await candidate('first');
    await leads(first);
    // The monotonic clock of Linux stands still meanwhile, so that it alone would say nothing.
    const wake = Date.now() + 60_000;
    // Nobody else looks at it meanwhile: nothing here waits.
    jest.spyOn(Date, 'now').mockReturnValue(wake);
    try {
      expect(first.leader.isLeading()).toBe(false);
    } finally {
      jest.restoreAllMocks();
    }
  }),
);

describe('on a scripted API server', () => {
  test.concurrent(
    'a renewal that hangs does not keep the work of the term alive',
    besideOthers(async () => {
      let lease: object | undefined;
      let hang = false;
      const server = await startScriptedApiServer(async (request, answer) => {
        if (request.method === 'GET' && !lease) return refuse(answer, 404);
        if (request.method === 'GET') return answer.end(JSON.stringify(lease));
        if (hang) return undefined;
        let body = '';
        for await (const chunk of request.body) body += String(chunk);
        lease = {
          ...JSON.parse(body),
          metadata: { name: 'one', namespace: NAMESPACE, resourceVersion: '1' },
        };
        return answer.end(body);
      });
      const client = kubernetesClient(server.connection);
      const life = new AbortController();
      let term: AbortSignal | undefined;
      let told: number | undefined;
      const leader = elect({
        client,
        namespace: NAMESPACE,
        name: 'one',
        identity: 'first',
        leaseMs: LEASE_MS,
        log: quiet,
        signal: life.signal,
        lead: (signal) => {
          term = signal;
          signal.addEventListener('abort', () => (told = performance.now()));
          return untilAborted(signal);
        },
      });
      await waitUntil('it to lead', DEADLINE_MS, () => leader.isLeading() && term);
      hang = true;
      const hung = performance.now();
      await waitUntil('the work to be told', DEADLINE_MS, () => told);
      // The last good renewal began before, and a lease after it the next one leads.
      expect((told ?? Infinity) - hung).toBeLessThan(LEASE_MS);
      expect(leader.isLeading()).toBe(false);
      life.abort();
      await leader.done;
      await client.close();
      await server.close();
    }),
  );
});
