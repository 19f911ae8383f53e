// How soon each verifier refuses a token that is revoked, and how many tokens one replica checks in a second.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Agent, request } from 'undici';
import { readFileSync } from 'node:fs';
import type { Operator } from '../../dev/latchkey/operator.ts';
import { webhookFlags } from '../../dev/latchkey/webhook.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { USERS } from '../../src/observation/views.ts';
import type { Arena } from '../arena.ts';
import { askApiServer, askLatchkey, type Ask, type Verifiers } from '../asking.ts';
import type { Part } from '../part.ts';
import { cpuMs } from '../process-usage.ts';
import { userName } from '../seed.ts';
import { percentile } from '../statistics.ts';
import { readTokens } from '../tokens.ts';

const AUDIENCE = 'https://kubernetes.default.svc.cluster.local';
const AT_ONCE = 32;
/** The default cache of the webhook, its own of 10 s, and time to notice. */
const LONGEST_MS = 150_000;

interface Rate {
  readonly perSecond: number;
  readonly ms: readonly number[];
}

export const revocation: Part = {
  name: 'revocation',
  async run({ arena, scale: { revocations }, say }) {
    await arena.patchPolicy({ accessToken: { audiences: ['latchkey', AUDIENCE] } });
    const operator = await arena.startOperator();
    const verifiers = await askLatchkey(arena.cluster, operator, AUDIENCE);
    // The operator that has just come up has written every token.
    const tokens = await readTokens(arena.admin);
    const all = [...tokens.values()];

    const jose = await rate(await joseVerifies(operator), all, revocations.seconds);
    // Until the caches are proven, every session is asked for.
    await rate(verifiers.tokenReview, all, revocations.seconds);
    const cpuBefore = cpuMs(operator.pid);
    const reviews = await rate(verifiers.tokenReview, all, revocations.seconds);
    const cpuPerReview = (cpuMs(operator.pid) - cpuBefore) / reviews.ms.length;
    say(`revocation: ${reviews.perSecond} TokenReviews/s beside ${jose.perSecond} verifications/s of jose`);

    const rows: [string, string, readonly number[]][] = [];
    const names = Array.from({ length: revocations.sample * (1 + revocations.caches.length) }, (_, n) => userName(n));
    const part = () => names.splice(0, revocations.sample);

    const alone = part();
    const [byReview, byIntrospection] = await disableEach(arena, verifiers, alone, tokens);
    rows.push(['TokenReview', 'spec.disabled', byReview], ['introspection', 'spec.disabled', byIntrospection]);
    for (const cacheTtl of revocations.caches) {
      const ms = await byApiServer(arena, operator, verifiers, { cacheTtl, names: part(), tokens });
      rows.push([`kube-apiserver, cache ${cacheTtl}`, 'spec.disabled', ms]);
      say(`revocation: by kube-apiserver with a cache of ${cacheTtl}, p99 ${percentile(ms, 99).toFixed(0)} ms`);
    }
    const left = all.filter((token) => token !== '');
    const lastYes = await switchOff(arena, verifiers, left);
    rows.push([`TokenReview, the last of ${left.length} users`, 'the policy switch', [lastYes]]);
    say(`revocation: the last yes was asked for ${lastYes.toFixed(0)} ms after the policy was switched off`);

    await verifiers.close();
    await operator.stop();
    operator.remove();
    return {
      tables: [
        {
          title: 'TokenReviews by one replica, asked from this machine, beside the bare rate of jose',
          columns: ['', 'per second', 'p50', 'p99', 'CPU of Latchkey'],
          rows: [
            ['jose, jwtVerify', String(jose.perSecond), shown(jose.ms, 50), shown(jose.ms, 99), ''],
            ['TokenReview', String(reviews.perSecond), shown(reviews.ms, 50), shown(reviews.ms, 99), `${cpuPerReview.toFixed(2)} ms`],
          ],
        },
        {
          title: 'From the request that revokes to the first refusal',
          columns: ['verifier', 'cause', 'users', 'p50', 'p99'],
          rows: rows.map(([who, cause, ms]) => [who, cause, String(ms.length), shown(ms, 50), shown(ms, 99)]),
        },
      ],
      data: {
        reviewsPerSecond: reviews.perSecond,
        josePerSecond: jose.perSecond,
        cpuMsPerReview: cpuPerReview,
        reviewP99Ms: percentile(reviews.ms, 99),
        refusedAfterMs: Object.fromEntries(rows.map(([who, cause, ms]) => [`${who}: ${cause}`, ms])),
      },
    };
  },
}; // prettier-ignore

const shown = (ms: readonly number[], percent: number) => `${percentile(ms, percent).toFixed(1)} ms`;

/** Asks about one token after the other, so many at once. @throws where one is refused */
async function rate(ask: Ask, tokens: readonly string[], seconds: number): Promise<Rate> {
  const ms: number[] = [];
  let next = 0;
  const began = performance.now();
  const until = began + seconds * 1_000;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const token = tokens[next++ % tokens.length] ?? '';
      const asked = performance.now();
      if (!(await ask(token))) throw new Error('a good token was refused');
      ms.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { perSecond: Math.round((ms.length / (performance.now() - began)) * 1_000), ms };
}

async function joseVerifies({ portal, caFile }: Operator): Promise<Ask> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(caFile) } });
  const { body } = await request(`${portal}/jwks`, { dispatcher });
  const keys = createLocalJWKSet((await body.json()) as Parameters<typeof createLocalJWKSet>[0]);
  await dispatcher.close();
  const options = { issuer: portal, audience: AUDIENCE, algorithms: ['ES256'] };
  return async (token) => (await jwtVerify(token, keys, options)).payload.sub !== undefined;
}

/** @returns milliseconds from `began` to the moment when the first refusal was there */
async function untilRefused(ask: Ask, token: string, began: number, pauseMs = 0): Promise<number> {
  while (await ask(token)) {
    if (performance.now() - began > LONGEST_MS) throw new Error('a revoked token is never refused');
    await delay(pauseMs);
  }
  return performance.now() - began;
}

async function disable({ admin }: Arena, name: string): Promise<void> {
  await admin.request({
    method: 'PATCH',
    path: `${USERS.path}/${name}`,
    contentType: 'application/merge-patch+json',
    body: { spec: { disabled: true } },
  });
}

/** One user after the other, asked about at both endpoints all the time. */
async function disableEach(
  arena: Arena,
  { tokenReview, introspection }: Verifiers,
  names: readonly string[],
  tokens: ReadonlyMap<string, string>,
): Promise<[number[], number[]]> {
  const [byReview, byIntrospection]: [number[], number[]] = [[], []];
  for (const name of names) {
    const token = tokens.get(name) ?? '';
    const began = performance.now();
    const refused = [tokenReview, introspection].map((ask) => untilRefused(ask, token, began));
    await disable(arena, name);
    const [review = 0, introspected = 0] = await Promise.all(refused);
    byReview.push(review);
    byIntrospection.push(introspected);
  }
  return [byReview, byIntrospection];
}

interface ByApiServer {
  readonly cacheTtl: string;
  readonly names: readonly string[];
  readonly tokens: ReadonlyMap<string, string>;
}

/** All of them at once, each in the cache already, which is the worst that can be. */
async function byApiServer(
  arena: Arena,
  { portal, caFile }: Operator,
  { callerToken }: Verifiers,
  { cacheTtl, names, tokens }: ByApiServer,
): Promise<number[]> {
  const { cluster } = arena;
  const file = join(cluster.folder, `webhook-${cacheTtl}.kubeconfig`);
  const url = `${portal}/token-review`;
  await cluster.restartApiServer({
    apiServerFlags: webhookFlags({ file, url, caFile, callerToken, cacheTtl }),
  });
  const { ask, close } = askApiServer(cluster);
  const own = names.map((name) => tokens.get(name) ?? '');
  for (const token of own) await waitUntil('the API server to take a token', 30_000, () => ask(token));
  const ms = await Promise.all(
    own.map(async (token, index) => {
      const began = performance.now();
      await disable(arena, names[index] ?? '');
      return untilRefused(ask, token, began, 50);
    }),
  );
  await close();
  await cluster.restartApiServer();
  return ms;
}

/** @returns how long after the switch the last question was asked that was still answered with yes */
async function switchOff(
  arena: Arena,
  { tokenReview }: Verifiers,
  tokens: readonly string[],
): Promise<number> {
  let next = 0;
  const over = new AbortController();
  let lastYes = 0;
  const worker = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const asked = performance.now();
      if (await tokenReview(tokens[next++ % tokens.length] ?? '')) lastYes = Math.max(lastYes, asked);
    }
  };
  const asking = Promise.all(Array.from({ length: AT_ONCE }, worker));
  await delay(1_000);
  const began = performance.now();
  await arena.patchPolicy({ enabled: false });
  await waitUntil(
    'five seconds without a yes',
    LONGEST_MS,
    () => performance.now() - Math.max(began, lastYes) > 5_000,
  );
  over.abort();
  await asking;
  return Math.max(0, lastYes - began);
}
