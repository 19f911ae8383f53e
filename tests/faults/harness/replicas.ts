// The operator's replicas, each behind a fault proxy of its own, and who of them leads.
import { readFileSync } from 'node:fs';
import type { JWK } from 'jose';
import { Agent, request } from 'undici';
import type { Cluster } from '../../../dev/latchkey/install.ts';
import { type Operator, startOperator } from '../../../dev/latchkey/operator.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import type { PublishedKeys } from '../prober/signatures.ts';
import { processClock, type ProcessClock } from './clock.ts';
import { followLog, type LogFollower } from './log-follower.ts';
import { type FaultProxy, startFaultProxy } from '../proxy/fault-proxy.ts';

const LEADER_TIMEOUT_MS = 60_000;
const LEADS = '"msg":"leading"';
const LEADS_NO_LONGER = '"msg":"no longer leading"';
const CLOCK_SKEW = '"event":"ClockSkew"';
const CLOCK_AGREES = '"event":"ClockAgrees"';
const PAST_LINES = 30;

export interface Replica {
  readonly proxy: FaultProxy;
  readonly operator: Operator;
  readonly clock: ProcessClock;
  readonly log: LogFollower;
  /** Whether it has said so last. */
  leads(): boolean;
  /** Whether it has said last that the clocks differ. */
  saysClocksDiffer(): boolean;
  /** Nobody signs in there: it cannot answer now, or is watched for what it writes by itself. */
  aside: boolean;
}

export interface Replicas {
  readonly all: readonly Replica[];
  /** Starts one more; resolves when it is ready. */
  start(): Promise<Replica>;
  /** SIGKILL. */
  kill(replica: Replica): Promise<void>;
  /** SIGTERM. */
  stop(replica: Replica): Promise<void>;
  untilLeading(...among: readonly Replica[]): Promise<Replica>;
  readonly publishedKeys: PublishedKeys;
  /** The logs of all that ever ran, the last lines of each. */
  lastWords(lines: number): string;
  close(): Promise<void>;
}

export function replicas(cluster: Cluster, flags: readonly string[]): Replicas {
  const all: Replica[] = [];
  const past: string[] = [];

  async function end(replica: Replica, how: () => Promise<unknown>): Promise<void> {
    all.splice(all.indexOf(replica), 1);
    await how();
    past.push(...replica.log.lastLines(PAST_LINES));
    past.splice(0, past.length - 2 * PAST_LINES);
    replica.log.close();
    replica.clock.remove();
    replica.operator.remove();
    await replica.proxy.close();
  }

  return {
    all,
    async start() {
      const clock = processClock();
      const proxy = await startFaultProxy(cluster);
      try {
        const operator = await startOperator(
          { ...cluster, url: proxy.url, caFile: proxy.caFile },
          { flags, nodeFlags: clock.nodeFlags },
        );
        const log = followLog(operator.logFile, [LEADS, LEADS_NO_LONGER, CLOCK_SKEW, CLOCK_AGREES]);
        const replica: Replica = {
          aside: false,
          proxy,
          operator,
          log,
          clock,
          saysClocksDiffer: () => log.lastOf(CLOCK_SKEW, CLOCK_AGREES)?.includes(CLOCK_SKEW) ?? false,
          leads: () => log.lastOf(LEADS, LEADS_NO_LONGER)?.includes(LEADS) ?? false,
        };
        all.push(replica);
        return replica;
      } catch (error) {
        clock.remove();
        await proxy.close();
        throw error;
      }
    },
    kill: (replica) => end(replica, () => replica.operator.kill()),
    stop: (replica) => end(replica, () => replica.operator.stop()),
    untilLeading: (...among) =>
      waitUntil('a replica to lead', LEADER_TIMEOUT_MS, () =>
        (among.length > 0 ? among : all).find((replica) => replica.leads()),
      ),
    async publishedKeys() {
      for (const { operator } of all) {
        const jwks = await readJwks(operator);
        if (jwks) return jwks;
      }
      return undefined;
    },
    lastWords: (lines) =>
      [past.slice(-lines), ...all.map(({ log }) => log.lastLines(lines))]
        .map((some) => some.join('\n'))
        .join('\n---\n'),
    async close() {
      for (const replica of all.slice()) await end(replica, () => replica.operator.kill());
    },
  };
}

async function readJwks(operator: Operator): Promise<readonly JWK[] | undefined> {
  const agent = new Agent({
    connect: { ca: readFileSync(operator.caFile) },
    headersTimeout: 2_000,
    bodyTimeout: 2_000,
  });
  try {
    const answer = await request(new URL('/jwks', operator.portal), { dispatcher: agent });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      return undefined;
    }
    const { keys } = (await answer.body.json()) as { keys: JWK[] };
    return keys;
  } catch {
    return undefined;
  } finally {
    await agent.destroy();
  }
}
