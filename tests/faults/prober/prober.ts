// Reads every Secret access-token all the time, straight from the API server, and keeps what breaks a promise.
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import type { Journal } from './journal.ts';
import { Judge, type Life, type Reading, type Violation } from './judge.ts';
import type { ReadAsUser } from './read-as-user.ts';
import { type PublishedKeys, Signatures } from './signatures.ts';
import { followSecrets, type RawSecret, readingOf } from './secrets.ts';

/** Between the beginnings of two rounds; a round is one list and some single reads. */
const ROUND_MS = 400;
const READS_PER_ROUND = 8;
const LIST_TIMEOUT_MS = 10_000;
/** A write that takes milliseconds on a machine with time to spare, and a round that takes a quarter of a second. */
const SLOW_WRITE_MS = 300;
const SLOW_ROUND_MS = 2_000;
/** More are the same thing again. */
const MOST_VIOLATIONS = 200;

export interface ProberOptions {
  readonly admin: KubernetesClient;
  readonly readAsUser: ReadAsUser;
  readonly journal: Journal;
  readonly life: Life;
  readonly publishedKeys: PublishedKeys;
}

export interface ProberReport {
  readonly lists: number;
  readonly reads: number;
  /** Versions that a watch told of. */
  readonly versions: number;
  readonly tokens: number;
  /** How much of the time the machine was too slow for anybody to write in time, from 0 to 1. */
  readonly slowShare: number;
  /** The longest time in which it read nothing although the API server was there. */
  readonly longestGapMs: number;
  /** The least that a token had to live when it was read. */
  readonly leastRemainingMs: number;
  readonly violations: readonly Violation[];
}

export interface Prober {
  /** What there is since the last `take`. */
  report(): ProberReport;
  /** The report, which begins anew. */
  take(): ProberReport;
  /** Resolves after the next complete round that begins from now on. */
  nextRound(): Promise<void>;
  /**
   * Ends the reading.
   * @throws {Error} where tokens were seen whose signature could not be checked
   */
  stop(): Promise<ProberReport>;
}

interface SecretList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly RawSecret[];
}

export function startProber({ admin, readAsUser, journal, life, publishedKeys }: ProberOptions): Prober {
  const over = new AbortController();
  const judge = new Judge(journal, life);
  const signatures = new Signatures(publishedKeys);
  const violations: Violation[] = [];
  const tokens = new Set<string>();
  let lists = 0;
  let reads = 0;
  let versions = 0;
  let longestGapMs = 0;
  let leastRemainingMs = Number.POSITIVE_INFINITY;
  let latest = Date.now();
  let takenAt = latest;
  let waiting: { readonly since: number; readonly resolve: () => void }[] = [];

  const keep = (found: readonly Violation[]) => {
    violations.push(...found.slice(0, MOST_VIOLATIONS - violations.length));
  };
  const take = (reading: Reading) => {
    keep(judge.judge(reading));
    const { token, namespace, by, sent, received } = reading;
    if (token === undefined) return;
    const [, payload = '', signature = ''] = token.split('.');
    if (signature === '') return;
    tokens.add(signature);
    signatures.seen(namespace, token, received);
    if (by === 'Watch') return;
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number };
    leastRemainingMs = Math.min(leastRemainingMs, exp * 1_000 - sent);
  };

  async function list(): Promise<void> {
    const sent = Date.now();
    const { items, metadata } = await admin.request<SecretList>({
      method: 'GET',
      path: '/api/v1/secrets',
      query: { fieldSelector: 'metadata.name=access-token' },
      timeoutMs: LIST_TIMEOUT_MS,
      signal: over.signal,
    });
    const received = Date.now();
    const there = new Set<string>();
    for (const secret of items) {
      there.add(secret.metadata.namespace);
      take(readingOf(secret, { sent, received, by: 'List' }));
    }
    const version = Number(metadata.resourceVersion);
    for (const { name } of journal.people()) {
      if (!there.has(name))
        take({ namespace: name, version, token: undefined, keys: [], sent, received, by: 'List' });
    }
    lists += 1;
    if (!journal.timeline.wasAway(latest, received)) longestGapMs = Math.max(longestGapMs, received - latest);
    latest = received;
  }

  /** As a script of that user would. */
  async function readOne(name: string): Promise<void> {
    const sent = Date.now();
    const answer = await readAsUser(name);
    reads += 1;
    if (answer === 'Refused') keep(judge.judgeRefusal(name, sent));
    else if (answer !== 'NotFound') take(readingOf(answer, { sent, received: Date.now(), by: 'Get' }));
  }

  const settle = () =>
    signatures.settle((namespace, what) =>
      keep([{ kind: 'UnknownKey', namespace, what, at: new Date().toISOString() }]),
    );

  /** How long a write takes that waits for nobody but the machine. */
  async function tryWriting(): Promise<number> {
    const began = performance.now();
    await admin.request({
      method: 'PATCH',
      path: '/api/v1/namespaces/default/configmaps/prober',
      query: { fieldManager: 'prober', force: true },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'prober' },
        data: { at: String(began) },
      },
      timeoutMs: LIST_TIMEOUT_MS,
      signal: over.signal,
    });
    return performance.now() - began;
  }

  async function round(began: number): Promise<void> {
    try {
      const writeMs = await tryWriting();
      await list();
      const names = [...journal.people()].map(({ name }) => name);
      const chosen = Array.from({ length: Math.min(READS_PER_ROUND, names.length) }, () => {
        return names[Math.floor(Math.random() * names.length)] ?? '';
      });
      await Promise.all(chosen.map(readOne));
      if (writeMs > SLOW_WRITE_MS || Date.now() - began > SLOW_ROUND_MS)
        journal.timeline.was('TooSlow', began, Date.now());
    } catch {
      // The API server is away, or slow: the time until the next complete list is counted as a gap.
      return;
    }
    await settle();
    for (const { resolve } of waiting.filter(({ since }) => since <= began)) resolve();
    waiting = waiting.filter(({ since }) => since > began);
  }

  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      const began = Date.now();
      await round(began);
      const pauseMs = Math.max(began + ROUND_MS - Date.now(), 0);
      await delay(pauseMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  }

  const running = run();
  const following = followSecrets(admin, over.signal, (reading) => {
    versions += 1;
    take(reading);
  });

  const report = (): ProberReport => {
    const sinceLatest = journal.timeline.wasAway(latest, Date.now()) ? 0 : Date.now() - latest;
    return {
      lists,
      reads,
      versions,
      tokens: tokens.size,
      slowShare: journal.timeline.total('TooSlow', takenAt, Date.now()) / (Date.now() - takenAt),
      longestGapMs: Math.max(longestGapMs, sinceLatest),
      leastRemainingMs,
      violations,
    };
  };
  return {
    report,
    take() {
      const taken = { ...report(), violations: violations.splice(0) };
      tokens.clear();
      lists = reads = versions = longestGapMs = 0;
      leastRemainingMs = Number.POSITIVE_INFINITY;
      takenAt = Date.now();
      return taken;
    },
    nextRound: () => new Promise((resolve) => waiting.push({ since: Date.now(), resolve })),
    async stop() {
      over.abort();
      await Promise.all([running, following]);
      await settle();
      if (signatures.waiting > 0)
        throw new Error(`${signatures.waiting} tokens were seen whose signature could not be checked`);
      return report();
    },
  };
}
