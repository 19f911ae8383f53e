// How soon each verifier refuses a token that is revoked, and how many tokens one replica checks in a second.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { userDn } from '../../dev/directories/entries.ts';
import { directoryFlags } from '../../dev/directories/flags.ts';
import type { Operator } from '../../dev/latchkey/operator.ts';
import { webhookFlags } from '../../dev/latchkey/webhook.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { USERS } from '../../src/observation/views.ts';
import { passLimitMs, type Arena } from '../arena.ts';
import { askApiServer, askKubernetes, askLatchkey, type Verifiers } from '../asking.ts';
import { heapOf } from '../heap.ts';
import { changesIn, type Directory } from '../openldap.ts';
import type { Part } from '../part.ts';
import { everybodyIsRefused, refusals, type Question, type Revoke, type Switched } from '../refusals.ts';
import { reviewRate, reviewRateTable } from '../review-rate.ts';
import type { Scale } from '../scale.ts';
import { signInAgain } from '../seed.ts';
import { readOperations } from '../slapd-log.ts';
import { percentile } from '../statistics.ts';
import type { Table } from '../table.ts';
import { readTokens } from '../tokens.ts';

const AUDIENCE = 'https://kubernetes.default.svc.cluster.local';
const SERVICE_AUDIENCE = 'latchkey';
/** An API server that is asked so seldom remembers for minutes. */
const SLOW_MS = 1_000;
/** Asking about everybody at either endpoint. */
const AT_ONCE = 16;

const CAUSES = ['a change in LDAP', 'spec.disabled', 'the policy switch'] as const;
type Cause = (typeof CAUSES)[number];
type Row = Partial<Record<Cause, readonly number[]>>;
/** Of every verifier, how long it took from each cause to the refusal, in ms. */
type Found = Map<string, Row>;

export const revocation: Part = {
  name: 'revocation',
  async run({ arena, scale: { revocations }, say, nodeFlags }) {
    const directory = await arena.directory();
    // With tokens of Kubernetes once more.
    directory.mayDisable(revokedByOneCause(revocations) + revocations.atOnce, arena.users());
    await arena.patchPolicy({ accessToken: { audiences: [SERVICE_AUDIENCE, AUDIENCE] } });
    const heap = heapOf(arena, 'revocation');
    const operator = await arena.startOperator({
      flags: directoryFlags(directory.server),
      nodeFlags: [...nodeFlags, ...heap.nodeFlags],
    });
    await arena.untilAllAreActive();
    say('revocation: the operator is up, and has heard of everybody');
    const verifiers = await askLatchkey(arena.cluster, operator, AUDIENCE);
    // The operator that has just come up has written every token.
    const tokens = await readTokens(arena.admin);

    const rate = await reviewRate({
      operator,
      heap,
      tokenReview: verifiers.tokenReview,
      tokens: [...tokens.values()],
      audience: AUDIENCE,
      seconds: revocations.seconds,
    });
    say(`revocation: ${rate.reviews.perSecond} TokenReviews/s, ${rate.jose.perSecond}/s by jose`);

    const found: Found = new Map();
    const ground = { arena, operator, directory, verifiers, found, revocations, say };
    const users = sampler(tokens);
    await oneByOne(ground, users);
    say('revocation: each user who was revoked alone is refused');
    const { switched, later } = await allAtOnce(ground, users);
    await withTokensOfKubernetes(ground);
    await later();

    await verifiers.close();
    await operator.stop();
    operator.remove();
    return {
      tables: [reviewRateTable(rate), refusalTable(arena.users(), found), switchTable(switched)],
      data: { rate, refusedAfterMs: Object.fromEntries(found), switched: Object.fromEntries(switched) },
    };
  },
};

/** While the tokens are Latchkey's. */
const revokedByOneCause = ({ alone, atOnce, caches }: Scale['revocations']) => alone + caches.length * atOnce;

interface Ground {
  readonly arena: Arena;
  readonly operator: Operator;
  readonly directory: Directory;
  readonly verifiers: Verifiers;
  readonly found: Found;
  readonly revocations: Scale['revocations'];
  readonly say: (line: string) => void;
}

/** Hands out users, each once. */
type Sampler = (count: number) => ReadonlyMap<string, string>;

function sampler(tokens: ReadonlyMap<string, string>): Sampler {
  const left = [...tokens];
  return (count) => new Map(left.splice(0, count));
}

function note(found: Found, verifier: string, cause: Cause, ms: readonly number[]): void {
  const row = found.get(verifier) ?? {};
  found.set(verifier, { ...row, [cause]: [...(row[cause] ?? []), ...ms] });
}

// The causes.

/** When slapd had answered the change, by its own log. */
const inDirectory =
  ({ server, disable }: Directory): Revoke =>
  async (names) => {
    await disable(names);
    return () => {
      const changes = changesIn(readOperations(server.logFile));
      return new Map(names.map((name) => [name, changes.get(userDn(name))?.endedAt ?? Number.NaN]));
    };
  };

const byAdmin =
  ({ admin }: Arena): Revoke =>
  async (names) => {
    const times = new Map<string, number>();
    await Promise.all(
      names.map(async (name) => {
        times.set(name, Date.now());
        await admin.request({
          method: 'PATCH',
          path: `${USERS.path}/${name}`,
          contentType: 'application/merge-patch+json',
          body: { spec: { disabled: true } },
        });
      }),
    );
    return () => times;
  };

const bySwitch =
  (arena: Arena, onSwitch: (at: number) => void = () => undefined): Revoke =>
  async (names) => {
    const at = Date.now();
    onSwitch(at);
    await arena.patchPolicy({ enabled: false });
    return () => new Map(names.map((name) => [name, at]));
  };

// The measurements.

/** At Latchkey's endpoints, one user after the other, at any moment between two questions to the directory. */
async function oneByOne(
  { arena, directory, verifiers, found, revocations }: Ground,
  users: Sampler,
): Promise<void> {
  const causes: [Cause, Revoke][] = [
    ['a change in LDAP', inDirectory(directory)],
    ['spec.disabled', byAdmin(arena)],
  ];
  for (const [cause, revoke] of causes) {
    for (const user of users(revocations.alone)) {
      await delay(Math.random() * 1_000);
      const tokens = new Map([user]);
      const questions = ENDPOINTS.map((name) => ({ ask: verifiers[name], tokens, askEveryMs: 0 }));
      const results = await Promise.all(await refusals(revoke, questions));
      ENDPOINTS.forEach((name, index) => note(found, ENDPOINT_NAMES[name], cause, results[index] ?? []));
    }
  }
}

const ENDPOINTS = ['tokenReview', 'introspection'] as const;
const ENDPOINT_NAMES = { tokenReview: 'TokenReview', introspection: 'introspection' } as const;

interface Named extends Question {
  readonly name: string;
}

interface AllAtOnce {
  readonly switched: readonly (readonly [verifier: string, Switched])[];
  /** Resolves when the API servers that remember for long have forgotten, too. */
  readonly later: () => Promise<void>;
}

/**
 * By API servers that remember answers, each just asked, which is the worst that can be; and the switch, by everybody.
 * What they remember does not depend on each other, so they are waited for side by side.
 */
async function allAtOnce(ground: Ground, users: Sampler): Promise<AllAtOnce> {
  const { arena, directory, verifiers, found, revocations, say } = ground;
  const servers: (Omit<Named, 'tokens'> & { close: () => Promise<void> })[] = [];
  for (const { ttl, askEveryMs } of revocations.caches)
    servers.push({ name: `kube-apiserver, cache ${ttl}`, askEveryMs, ...(await webhookServer(ground, ttl)) });
  const waiting: Promise<void>[] = [];
  /** Resolves with what to wait for, verifier by verifier, when the users have been revoked. */
  const begin = async (cause: Cause, revoke: Revoke, questions: readonly Named[]) => {
    const pending = await refusals(revoke, questions);
    return questions.map(async ({ name }, index) => note(found, name, cause, (await pending[index]) ?? []));
  };
  const sampled = () => servers.map((one) => ({ ...one, tokens: users(revocations.atOnce) }));
  const untilQuickAreDone = async (begun: readonly Promise<void>[]) => {
    // They are waited for by whoever waits for the last ones, too, who is told where one fails.
    for (const one of begun) one.catch(() => undefined);
    waiting.push(...begun);
    await Promise.all(begun.filter((_, index) => (servers[index]?.askEveryMs ?? 0) < SLOW_MS));
  };
  const inLdap = await begin('a change in LDAP', inDirectory(directory), sampled());
  const disabled = await begin('spec.disabled', byAdmin(arena), sampled());
  await untilQuickAreDone(inLdap);
  await untilQuickAreDone(disabled);
  say('revocation: the API servers with short caches have noticed each user');

  const ofServers = sampled();
  const samples = ENDPOINTS.map((name) => ({
    name: ENDPOINT_NAMES[name],
    ask: verifiers[name],
    tokens: users(revocations.atOnce),
    askEveryMs: 20,
  }));
  const everybody = [...users(arena.users()).values()];
  const off = Promise.withResolvers<number>();
  const switching = Promise.all(
    ENDPOINTS.map((name) => everybodyIsRefused(verifiers[name], everybody, off.promise, AT_ONCE)),
  );
  switching.catch(() => undefined); // It is waited for below.
  await delay(1_000);
  const begun = await begin('the policy switch', bySwitch(arena, off.resolve), [...ofServers, ...samples]);
  const switched = await switching;
  await untilQuickAreDone(begun);
  const lastYesMs = Math.max(...switched.map((one) => one.lastYesMs));
  say(`revocation: the last yes was asked for ${lastYesMs} ms after the switch`);
  return {
    switched: ENDPOINTS.map((name, index) => [ENDPOINT_NAMES[name], switched[index] ?? NEVER] as const),
    async later() {
      await Promise.all(waiting);
      for (const { close } of servers) await close();
    },
  };
}

const NEVER: Switched = { lastYesMs: Number.NaN, acceptedAfterSecond: Number.NaN };

async function webhookServer({ arena: { cluster }, operator, verifiers }: Ground, cacheTtl: string) {
  const { portal, caFile } = operator;
  const file = join(cluster.folder, `webhook-${cacheTtl}.kubeconfig`);
  const url = `${portal}/token-review`;
  const { callerToken } = verifiers;
  const apiServer = await cluster.startAnotherApiServer({
    apiServerFlags: webhookFlags({ file, url, caFile, callerToken, cacheTtl }),
  });
  return askApiServer(apiServer);
}

/** Everybody signs in anew, to tokens of Kubernetes, which the API server itself verifies. */
async function withTokensOfKubernetes({ arena, directory, found, revocations, say }: Ground): Promise<void> {
  const limit = passLimitMs(arena.users());
  await waitUntil('the last key to be gone', limit, () => arena.tokens.count() === 0);
  await arena.patchPolicy({ enabled: true, tokenSource: 'Kubernetes' });
  await signInAgain(arena.admin, arena.users());
  // Those who were revoked one by one stay so.
  const expected = arena.users() - 2 * revokedByOneCause(revocations);
  await waitUntil(
    'everybody to have a token of Kubernetes',
    2 * limit,
    () => arena.tokens.count() >= expected,
  );
  say(`revocation: ${arena.tokens.count()} users have tokens of Kubernetes`);
  const users = sampler(await readTokens(arena.admin));
  const ask = askKubernetes(arena.admin, SERVICE_AUDIENCE);
  const measure = async (cause: Cause, revoke: Revoke): Promise<void> => {
    const question = { ask, tokens: users(revocations.atOnce), askEveryMs: 100 };
    const [ms = []] = await Promise.all(await refusals(revoke, [question]));
    note(found, 'kube-apiserver, tokenSource: Kubernetes', cause, ms);
    say(`revocation: ${cause} has reached the tokens of Kubernetes`);
  };
  // The API server remembers each token for as long: what is revoked side by side is refused side by side.
  await Promise.all([
    measure('a change in LDAP', inDirectory(directory)),
    measure('spec.disabled', byAdmin(arena)),
  ]);
  await measure('the policy switch', bySwitch(arena));
}

// What is shown of it.

/** The row of each verifier, with the goal where there is one. */
function refusalTable(users: number, found: Found): Table {
  const cells = (ms: readonly number[] | undefined) =>
    ms ? [shown(percentile(ms, 50)), shown(percentile(ms, 99))] : ['', ''];
  const goals = new Set<string>(Object.values(ENDPOINT_NAMES));
  return {
    title: `From the cause to the refusal, ${users} users signed in`,
    columns: ['verifier', CAUSES.flatMap((cause) => [`${cause}: p50`, 'p99']), 'goal'].flat(),
    rows: [...found].map(([verifier, row]) =>
      [verifier, CAUSES.flatMap((cause) => cells(row[cause])), goals.has(verifier) ? 'p99 < 1 s' : ''].flat(),
    ),
  };
}

function switchTable(switched: AllAtOnce['switched']): Table {
  return {
    title: 'The policy switch, asked about everybody in turn',
    columns: ['verifier', 'the last yes, after the switch', 'accepted from 1 s after it'],
    rows: switched.map(([name, { lastYesMs, acceptedAfterSecond }]) => [
      name,
      shown(lastYesMs),
      String(acceptedAfterSecond),
    ]),
  };
}

const shown = (ms: number) => (ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`);
