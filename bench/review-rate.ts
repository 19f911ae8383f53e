// How many tokens one replica checks in a second, beside the bare signature check of jose on the same machine.
import { readFileSync } from 'node:fs';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Agent, request } from 'undici';
import type { Operator } from '../dev/latchkey/operator.ts';
import type { Ask } from './asking.ts';
import { megabytes, type Heap } from './heap.ts';
import { cpuMs } from './process-usage.ts';
import { percentile } from './statistics.ts';
import type { Table } from './table.ts';

const AT_ONCE = 32;

interface Rate {
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ReviewRate {
  readonly jose: Rate;
  readonly reviews: Rate;
  /** Of the whole process that checks, in ms for each token. */
  readonly cpuMs: { readonly jose: number; readonly review: number };
  /** After a forced collection, before and after the reviews that were measured. */
  readonly heapBytes: readonly [before: number, after: number];
}

interface Measured {
  readonly operator: Operator;
  readonly heap: Heap;
  readonly tokenReview: Ask;
  readonly tokens: readonly string[];
  readonly audience: string;
  readonly seconds: number;
}

export async function reviewRate({
  operator,
  heap,
  tokenReview,
  tokens,
  audience,
  seconds,
}: Measured): Promise<ReviewRate> {
  const verifies = await joseVerifies(operator, audience);
  const joseBefore = cpuMs(process.pid);
  const jose = await rate(verifies, tokens, seconds);
  const joseCpuMs = (cpuMs(process.pid) - joseBefore) / jose.count;
  // Until the caches are proven, every session is asked for.
  await rate(tokenReview, tokens, seconds);
  const before = await heap.bytes();
  const cpuBefore = cpuMs(operator.pid);
  const reviews = await rate(tokenReview, tokens, seconds);
  const review = (cpuMs(operator.pid) - cpuBefore) / reviews.count;
  return { jose, reviews, cpuMs: { jose: joseCpuMs, review }, heapBytes: [before, await heap.bytes()] };
}

export function reviewRateTable({ jose, reviews, cpuMs: cpu, heapBytes }: ReviewRate): Table {
  const of = ({ perSecond, p50Ms, p99Ms }: Rate) => [perSecond.toFixed(0), shown(p50Ms), shown(p99Ms)];
  return {
    title: `TokenReviews by one replica, ${AT_ONCE} at once from this machine, beside the bare rate of jose`,
    columns: ['', 'per second', 'p50', 'p99', 'of jose', 'CPU each', 'heap before', 'heap after'],
    rows: [
      ['jose, jwtVerify', ...of(jose), '', `${cpu.jose.toFixed(2)} ms`, '', ''],
      [
        'TokenReview',
        ...of(reviews),
        `${(reviews.perSecond / jose.perSecond).toFixed(2)} (goal 0.5)`,
        `${cpu.review.toFixed(2)} ms`,
        ...heapBytes.map(megabytes),
      ],
    ],
  };
}

const shown = (ms: number) => `${ms.toFixed(1)} ms`;

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
  const perSecond = Math.round((ms.length / (performance.now() - began)) * 1_000);
  return { count: ms.length, perSecond, p50Ms: percentile(ms, 50), p99Ms: percentile(ms, 99) };
}

async function joseVerifies({ portal, caFile }: Operator, audience: string): Promise<Ask> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(caFile) } });
  const { body } = await request(`${portal}/jwks`, { dispatcher });
  const keys = createLocalJWKSet((await body.json()) as Parameters<typeof createLocalJWKSet>[0]);
  await dispatcher.close();
  const options = { issuer: portal, audience, algorithms: ['ES256'] };
  return async (token) => (await jwtVerify(token, keys, options)).payload.sub !== undefined;
}
