// The field that the faults are tried on: a control plane, people, replicas behind fault proxies, and the prober.
import { setTimeout as delay } from 'node:timers/promises';
import { type ControlPlane, startControlPlane } from '../../../dev/cluster/control-plane.ts';
import { install, writeLocalAccounts } from '../../../dev/latchkey/install.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { hashPassword } from '../../../src/directory/local/password-hash.ts';
import { kubernetesClient, type KubernetesClient } from '../../../src/kubernetes/client.ts';
import { loadConnection } from '../../../src/kubernetes/credentials.ts';
import { Journal } from '../prober/journal.ts';
import { boundMs } from '../prober/judge.ts';
import { type Prober, type ProberReport, startProber } from '../prober/prober.ts';
import { readerAs } from '../prober/read-as-user.ts';
import { type Outage, type OutageKind, Timeline } from '../prober/timeline.ts';
import { forEach } from './admin.ts';
import { type People, people } from './people.ts';
import { type Random, randomFrom } from './random.ts';
import { type Replicas, replicas } from './replicas.ts';

export const LIFE = { ttlMs: 180_000, minRemainingMs: 60_000 };
const LEASE = '6s';
/** Whoever of them signs in does it in the portal. */
const WITH_PASSWORD = 8;
const PASSWORD = 'correct horse battery staple';
const SETTLE_MS = 240_000;
/** A prober that was blind for longer has seen too little: half of what a leader has to put something right. */
const MOST_BLIND_MS = 7_500;
const MOST_SLOW = 1 / 3;
/** The prober needs some to see that something is late. */
const ROUNDS_MS = 2_000;
const LOOK_FOR_LEADER_MS = 200;

export interface Verdict {
  readonly report: ProberReport;
  /** Why nothing can be said, where the prober has not seen enough. */
  readonly provesNothing: string | undefined;
}

export interface Field {
  readonly cluster: ControlPlane;
  readonly admin: KubernetesClient;
  readonly journal: Journal;
  readonly people: People;
  /** Everybody with a User, and those of them who sign in by the portal. */
  readonly names: readonly string[];
  readonly withPassword: readonly string[];
  readonly replicas: Replicas;
  readonly prober: Prober;
  readonly random: Random;
  signIn(name: string): Promise<void>;
  /** Runs `during` while no leader can write, or no token may be minted; ends when `during` says so. */
  outage(kind: OutageKind, during: () => Promise<void>): Promise<void>;
  /** Lets things take their course while the prober reads. */
  carryOn(ms: number): Promise<void>;
  /** Until a leader has had the time to put right what is wrong now: whatever still is then is its fault. */
  untilDue(): Promise<void>;
  /** What an admin does comes one after the other, so that it is known in which order it happened. */
  oneAtATime<T>(act: () => Promise<T>): Promise<T>;
  /** Ends everybody's session with one write, and begins new ones for those who were signed in. */
  switchOffAndOn(): Promise<void>;
  /** On what happened since the last one. @throws with everything that broke a promise */
  verdict(): Promise<Verdict>;
  stop(): Promise<void>;
}

export async function startField(size: number, seed: number): Promise<Field> {
  const random = randomFrom(seed);
  const cluster = await startControlPlane();
  const names = Array.from({ length: size }, (_, n) => `person-${n}`);
  const withPassword = names.slice(0, WITH_PASSWORD);
  const timeline = new Timeline();
  const journal = new Journal(timeline);
  const connection = await loadConnection(cluster.adminKubeconfig);
  const admin = kubernetesClient(connection);
  const reader = readerAs(connection);
  await install(cluster);
  const hash = await hashPassword(PASSWORD);
  await writeLocalAccounts(
    cluster,
    // Whoever has a session and no account would lose it.
    names.map((name) => `${name}:${hash}`),
  );
  const team = replicas(cluster, [
    '--issuer-url=https://latchkey.test',
    `--lease-duration=${LEASE}`,
    `--token-ttl=${LIFE.ttlMs / 1_000}s`,
    `--token-min-remaining=${LIFE.minRemainingMs / 1_000}s`,
    '--sign-in-attempts-per-address=100000',
  ]);
  const hands = people(admin, journal);
  await team.untilLeading(await team.start());
  // 500 people at once are a day of their own; the promises are watched from when they are all there.
  const moving = timeline.outage('NoLeader');
  await hands.create(names);
  await forEach(names.slice(WITH_PASSWORD), (name) => hands.startSession(name));
  const prober = startProber({
    admin,
    readAsUser: reader.read,
    journal,
    life: LIFE,
    publishedKeys: team.publishedKeys,
  });
  await waitUntil('everybody to have a token', SETTLE_MS, () => {
    const { tokens } = prober.report();
    return tokens >= size - WITH_PASSWORD;
  });
  moving.over();

  // A leader that loses its Lease has its reasons, and nobody can write before there is another.
  let leaderless: Outage | undefined;
  const looking = setInterval(() => {
    const isLed = team.all.some((replica) => replica.leads());
    if (isLed) leaderless?.over();
    leaderless = isLed ? undefined : (leaderless ?? timeline.outage('NoLeader'));
  }, LOOK_FOR_LEADER_MS);

  let acting: Promise<unknown> = Promise.resolve();
  const oneAtATime = <T>(act: () => Promise<T>): Promise<T> => {
    const next = acting.then(act);
    acting = next.catch(() => undefined);
    return next;
  };

  return {
    cluster,
    admin,
    journal,
    people: hands,
    names,
    withPassword,
    replicas: team,
    prober,
    random,
    signIn: (name) =>
      hands.signIn(name, PASSWORD, () => {
        const open = team.all.filter(({ aside }) => !aside);
        return open[random.below(open.length)]?.operator;
      }),
    async outage(kind, during) {
      const outage = timeline.outage(kind);
      try {
        await during();
      } finally {
        outage.over();
      }
    },
    carryOn: (ms) => delay(ms),
    async untilDue() {
      const now = Date.now();
      await waitUntil('a leader to have had its time', SETTLE_MS, () => {
        const ableMs = timeline.ableUntil(now, Date.now(), ['NoLeader', 'NoApiServer']);
        return ableMs >= boundMs(LIFE) + ROUNDS_MS;
      });
    },
    oneAtATime,
    switchOffAndOn: () =>
      oneAtATime(async () => {
        const signedIn = [...journal.people()].filter(({ current }) => current).map(({ name }) => name);
        await hands.switchOffAndOn();
        await forEach(signedIn, (name) => hands.startSession(name));
      }),
    async verdict() {
      await prober.nextRound();
      const report = prober.take();
      const { violations, longestGapMs, slowShare } = report;
      const hint = `seed ${seed}; the operators' last lines:\n${team.lastWords(15)}`;
      if (violations.length > 0) {
        const lines = violations.map(
          ({ at, kind, namespace, what }) => `${at} ${kind} ${namespace}: ${what}`,
        );
        throw new Error(
          `${violations.length} times a promise was broken:\n${lines.slice(0, 20).join('\n')}\n${hint}`,
        );
      }
      const isBlind = longestGapMs > MOST_BLIND_MS || slowShare > MOST_SLOW;
      const provesNothing =
        `This run proves nothing, because the machine was too slow: the prober read nothing for ${longestGapMs} ms, ` +
        `and ${Math.round(slowShare * 100)} % of the time writes took too long. Try again when it is less busy.`;
      return { report, provesNothing: isBlind ? provesNothing : undefined };
    },
    async stop() {
      try {
        await prober.stop();
      } finally {
        clearInterval(looking);
        await team.close();
        await reader.close();
        await admin.close();
        await cluster.stop();
      }
    },
  };
}
