// Tells what happened to an object as Events (events.k8s.io/v1), and never makes anybody wait for it.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { hasStatus, ApiError, ApiUnreachableError } from './api-error.ts';
import type { KubernetesClient } from './client.ts';

/** Events about objects without a namespace lie in this one (pkg/apis/core/validation/events.go). */
export const EVENTS_NAMESPACE = 'default';
export const EVENTS_PATH = `/apis/events.k8s.io/v1/namespaces/${EVENTS_NAMESPACE}/events`;

const CONTROLLER = 'latchkey.dev/operator';
/** In bytes (NoteLengthLimit of the same file). */
const MAX_NOTE_BYTES = 1_024;
const MAX_INSTANCE = 128;

/** As client-go (tools/events/event_broadcaster.go). */
const MOST_QUEUED = 1_000;
/** Repeats within this time are one series. */
const SERIES_MS = 6 * 60_000;
/** How often the count of a running series is brought up to date. */
const COUNT_EVERY_MS = 60_000;
const MOST_SERIES = 1_000;

const REQUEST_MS = 5_000;
const RETRY_MS = { first: 1_000, most: 15_000 };
/** News of that age interests nobody any more, and its place in the queue is needed. */
const STALE_MS = 5 * 60_000;
/** What a process that ends still waits. */
const CLOSE_MS = 2_000;

/** The object that an Event is about; one without a namespace. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** What an Event says. Everybody who may read Events in the namespace `default` reads it. */
export interface EventContent {
  readonly type: 'Normal' | 'Warning';
  /** One word for programs: what happened. */
  readonly reason: string;
  /** One word for programs: what was done. */
  readonly action: string;
  /** A sentence for people; cut off after 1,024 bytes. Repeats are counted together only where it is the same. */
  readonly note: string;
}

export interface EventRecorder {
  /** Returns at once and never throws: an Event that cannot be sent is counted, not waited for. */
  record(regarding: Regarding, content: EventContent): void;
  /** How many were not sent: the queue was full, they grew stale, or the API server refused them. */
  readonly dropped: number;
  /** Takes no more, and gives what waits two seconds to be sent. */
  close(): Promise<void>;
}

interface Series {
  readonly key: string;
  readonly event: object;
  readonly name: string;
  count: number;
  /** The count that the API server knows; 0 before it knows the Event. */
  told: number;
  observedAt: number;
  /** Since when it stands in the queue. */
  waitingSince: number | undefined;
}

/**
 * One Event is sent at a time, so that news never takes the API server's attention from the work that it is about.
 * @param instance names this process
 */
export function eventRecorder(
  client: KubernetesClient,
  { instance, log }: { readonly instance: string; readonly log: Logger },
): EventRecorder {
  const known = new Map<string, Series>();
  const queue: Series[] = [];
  const stop = new AbortController();
  let dropped = 0;
  let sending: Promise<void> | undefined;
  let closing = false;
  let hasComplained = false;

  function drop(series: Series, error?: unknown): void {
    dropped += 1;
    // A repeat is to be told from the beginning.
    if (known.get(series.key) === series) known.delete(series.key);
    if (!hasComplained) log.warn({ err: error, dropped }, 'an Event could not be sent');
    hasComplained = true;
  }

  function enqueue(series: Series): void {
    if (series.waitingSince !== undefined) return;
    if (queue.length >= MOST_QUEUED) {
      drop(series, new Error('too many Events are waiting'));
      return;
    }
    series.waitingSince = Date.now();
    queue.push(series);
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
  }

  async function sendAll(): Promise<void> {
    for (let next = queue[0]; next && !stop.signal.aborted; next = queue[0]) {
      try {
        await deliver(next);
        hasComplained = false;
      } catch (error) {
        drop(next, error);
      }
      queue.shift();
      next.waitingSince = undefined;
      if (next.told === 1 && next.count > 1) enqueue(next);
    }
  }

  /** @throws the refusal, or the last failure before the Event grew stale */
  async function deliver(series: Series): Promise<void> {
    for (let pauseMs = RETRY_MS.first; ; pauseMs = Math.min(pauseMs * 2, RETRY_MS.most)) {
      try {
        await send(series);
        return;
      } catch (error) {
        const isStale = Date.now() - (series.waitingSince ?? 0) > STALE_MS;
        if (!mayPass(error) || isStale || stop.signal.aborted) throw error;
        await delay(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  }

  async function send(series: Series): Promise<void> {
    const { name, event, count, observedAt } = series;
    const repeats = count > 1 && { series: { count, lastObservedTime: microTime(observedAt) } };
    const limits = { timeoutMs: REQUEST_MS, signal: stop.signal };
    if (series.told > 0) {
      try {
        await client.request({
          method: 'PATCH',
          path: `${EVENTS_PATH}/${name}`,
          contentType: 'application/merge-patch+json',
          body: repeats,
          ...limits,
        });
        series.told = count;
        return;
      } catch (error) {
        // The API server forgets Events after an hour.
        if (!hasStatus(error, 404)) throw error;
      }
    }
    try {
      await client.request({ method: 'POST', path: EVENTS_PATH, body: { ...event, ...repeats }, ...limits });
    } catch (error) {
      // An answer that was lost: the next turn of the series brings the count.
      if (!hasStatus(error, 409)) throw error;
    }
    series.told = count;
  }

  function countAgain(): void {
    const now = Date.now();
    for (const [key, series] of known) {
      if (series.told < series.count) enqueue(series);
      else if (now - series.observedAt > SERIES_MS) known.delete(key);
    }
  }
  const counting = setInterval(countAgain, COUNT_EVERY_MS).unref();

  function begin(key: string, regarding: Regarding, content: EventContent): void {
    const now = Date.now();
    const name = `${regarding.name}.${randomBytes(8).toString('hex')}`;
    const { type, reason, action, note } = content;
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace: EVENTS_NAMESPACE },
      eventTime: microTime(now),
      reportingController: CONTROLLER,
      reportingInstance: instance.slice(0, MAX_INSTANCE),
      regarding,
      type,
      reason,
      action,
      note: cut(note),
    };
    const series = { key, event, name, count: 1, told: 0, observedAt: now, waitingSince: undefined };
    const oldest = known.size >= MOST_SERIES ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    known.set(key, series);
    enqueue(series);
  }

  return {
    record(regarding, content) {
      if (closing) return;
      const { type, reason, action, note } = content;
      const key = JSON.stringify([regarding.uid, type, reason, action, note]);
      const series = known.get(key);
      if (!series) {
        begin(key, regarding, content);
        return;
      }
      series.count += 1;
      series.observedAt = Date.now();
      // The second one makes it a series at once; from then on the count follows once a minute.
      if (series.count === 2) enqueue(series);
    },
    get dropped() {
      return dropped;
    },
    async close() {
      closing = true;
      clearInterval(counting);
      countAgain();
      const deadline = setTimeout(() => stop.abort(new Error('the process ends')), CLOSE_MS);
      await sending;
      clearTimeout(deadline);
      stop.abort();
      if (queue.length > 0) log.warn({ events: queue.length }, 'Events were left unsent');
    },
  };
}

/** metav1.MicroTime: RFC 3339 with six digits of a second. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** Refusals other than these would only be repeated. */
function mayPass(error: unknown): boolean {
  if (error instanceof ApiUnreachableError) return true;
  return error instanceof ApiError && (error.status === 429 || error.status >= 500);
}

function cut(note: string): string {
  const bytes = Buffer.from(note, 'utf8');
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  const ending = '…';
  // A character that is cut in two decodes to U+FFFD at the end.
  const kept = bytes.subarray(0, MAX_NOTE_BYTES - Buffer.byteLength(ending)).toString('utf8');
  return `${kept.replace(/\uFFFD$/u, '')}${ending}`;
}
