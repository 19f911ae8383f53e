// The one control plane of a run, its one directory, the users in both, and the operator as the parts of the bench start it.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startControlPlane, type ControlPlane } from '../dev/cluster/control-plane.ts';
import { install, writeSecret } from '../dev/latchkey/install.ts';
import { startOperator, type Operator, type OperatorOptions } from '../dev/latchkey/operator.ts';
import { freePort } from '../dev/ports.ts';
import { waitUntil } from '../dev/wait-until.ts';
import { POLICY_NAME } from '../src/api/names.ts';
import type { TokenPolicy, TokenPolicySpec } from '../src/api/token-policy.ts';
import { kubernetesClient, type KubernetesClient } from '../src/kubernetes/client.ts';
import { loadConnection } from '../src/kubernetes/credentials.ts';
import { POLICIES } from '../src/observation/views.ts';
import { watchHearing, type Hearing } from './hearing.ts';
import { openDirectory, type Directory } from './openldap.ts';
import type { Scale } from './scale.ts';
import { seedUsers, visitorNames, userNames } from './seed.ts';
import { watchTokens, type Tokens } from './tokens.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** As it is installed: Node takes memory and time to strip types, which no cluster pays for. */
const PROGRAM = `${ROOT}dist/main.js`;

const TAKE_UP_TIMEOUT_MS = 60_000;
const LOG_LINES_IN_ERROR = 20;
/** For a pass over everybody: a machine that takes longer is not worth a measurement. */
export const passLimitMs = (users: number) => 120_000 + users * 100;

export interface Arena {
  readonly cluster: ControlPlane;
  /** As an admin. */
  readonly admin: KubernetesClient;
  readonly tokens: Tokens;
  /** How many users there are. */
  users(): number;
  /** Sees to it that there are so many users, signed in, each with its namespace and a token. No operator may run. */
  populate(count: number): Promise<void>;
  /** Returns when the operator has taken up everything it found: it trusts no Secret that an earlier process wrote. */
  startOperator(options?: OperatorOptions): Promise<Operator>;
  /** With everybody in it whom any part needs; it is there from the first call on, and operators may bind to it. */
  directory(): Promise<Directory>;
  /** The operator that runs has written down of everybody that the directory calls them active. */
  untilAllAreActive(): Promise<void>;
  /** Gives the policy another audience, so that every token is due at once. */
  makeAllDue(): Promise<void>;
  patchPolicy(spec: {
    readonly enabled?: boolean;
    readonly tokenSource?: TokenPolicySpec['tokenSource'];
    readonly accessToken?: Partial<TokenPolicySpec['accessToken']>;
  }): Promise<void>;
  /** The operator that runs has seen the policy as it is: of two changes that none has seen, one may have shut it. */
  untilPolicyIsSeen(): Promise<void>;
  /** Throws the control plane away, and the directory. */
  close(): Promise<void>;
}

export async function openArena(scale: Scale, say: (line: string) => void): Promise<Arena> {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
  const cluster = await startControlPlane({
    // A cluster that has been there for a while is quiet: its controllers must not be busy with our namespaces for long.
    controllerManagerFlags: ['--kube-api-qps=1000', '--kube-api-burst=1000'],
  });
  const stop = new AbortController();
  try {
    await install(cluster);
    const admin = kubernetesClient(await loadConnection(cluster.adminKubeconfig));
    const tokens = await watchTokens(admin, stop.signal);
    const hearing = await watchHearing(admin, stop.signal);
    return arena({ cluster, admin, tokens, hearing, port: await freePort(), scale, say, stop });
  } catch (error) {
    stop.abort();
    await cluster.stop();
    throw error;
  }
}

/** Its log goes with it, so that what it says last has to be said here. */
async function fail(operator: Operator, cause: unknown): Promise<never> {
  const lines = operator.log().trimEnd().split('\n').slice(-LOG_LINES_IN_ERROR).join('\n');
  await operator.kill();
  operator.remove();
  throw new Error(`the operator has not written every token. Its last lines:\n${lines}`, { cause });
}

interface Ground {
  readonly cluster: ControlPlane;
  readonly admin: KubernetesClient;
  readonly tokens: Tokens;
  readonly hearing: Hearing;
  readonly port: number;
  readonly scale: Scale;
  readonly say: (line: string) => void;
  readonly stop: AbortController;
}

function arena({ cluster, admin, tokens, hearing, port, scale, say, stop }: Ground): Arena {
  let users = 0;
  let directory: Promise<Directory> | undefined;
  let audiences = 0;

  async function untilPolicy(is: string, check: (policy: TokenPolicy) => boolean): Promise<void> {
    await waitUntil(`the TokenPolicy to ${is}`, TAKE_UP_TIMEOUT_MS, async () => {
      const { items } = await admin.request<{ items: TokenPolicy[] }>({ method: 'GET', path: POLICIES.path });
      return items.some(check);
    });
  }

  async function directoryOfEverybody(): Promise<Directory> {
    const began = performance.now();
    const opened = await openDirectory([...userNames(scale.most), ...visitorNames(scale)]);
    await writeSecret(cluster, 'latchkey-ldap-bind', { password: opened.server.bindPassword });
    say(`directory: ${opened.people} entries in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    return opened;
  }

  return {
    cluster,
    admin,
    tokens,
    users: () => users,
    async populate(count) {
      if (count <= users) return;
      const began = performance.now();
      const added = count - users;
      if (users === 0) {
        const first = await startOperator(cluster, { port, main: PROGRAM });
        // The policy is made by the first operator; its epoch is part of every session.
        await untilPolicy('have its epoch', ({ status }) => status?.epoch !== undefined);
        await first.stop();
        first.remove();
      }
      await seedUsers(admin, users, count);
      const seeded = performance.now();
      users = count;
      const operator = await this.startOperator();
      await operator.stop();
      operator.remove();
      const seconds = (from: number, to: number) => ((to - from) / 1_000).toFixed(1);
      say(
        `${added} users made in ${seconds(began, seeded)} s, onboarded in ${seconds(seeded, performance.now())} s`,
      );
    },
    async startOperator(options = {}) {
      const pass = tokens.pass(users, passLimitMs(users));
      const operator = await startOperator(cluster, { port, main: PROGRAM, ...options });
      if (users > 0) await pass.done.catch((error: unknown) => fail(operator, error));
      return operator;
    },
    directory: () => (directory ??= directoryOfEverybody()),
    untilAllAreActive: () => hearing.untilAllAreActive(passLimitMs(users)),
    async makeAllDue() {
      audiences += 1;
      await this.patchPolicy({ accessToken: { audiences: [`bench-${audiences}`] } });
    },
    async patchPolicy(spec) {
      await admin.request({
        method: 'PATCH',
        path: `${POLICIES.path}/${POLICY_NAME}`,
        contentType: 'application/merge-patch+json',
        body: { spec },
      });
    },
    untilPolicyIsSeen: () =>
      untilPolicy('be seen', ({ metadata, status }) => status?.observedGeneration === metadata.generation),
    async close() {
      stop.abort();
      await admin.close();
      await cluster.stop();
      // A part has been told where it failed.
      const opened = await directory?.catch(() => undefined);
      await opened?.server.stop();
    },
  };
}
