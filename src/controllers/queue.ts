// A work queue of names: each at most once, the most urgent first, failures again after a pause, some names at a set time.
import TinyQueue from 'tinyqueue';
import { codeOf } from '../errors.ts';

/** Smaller is sooner. Refreshes use the expiry of the token (ms since 1970), so that the shortest-lived goes first. */
export const NOW = 0;

const BACKOFF_MS = { first: 50, most: 30_000 };
/** Appointments are by the wall clock, which may be set; a timer counts apart from it, so it rings early and looks. */
const LONGEST_TIMER_MS = 2_000;

interface Waiting {
  readonly key: string;
  readonly at: number;
}

export interface WorkQueueOptions {
  readonly concurrency: number;
  /** Does the work for one key. It is never run twice at once for one key. */
  readonly work: (key: string) => Promise<void>;
  readonly onFailure: (key: string, error: unknown, pauseMs: number) => void;
}

/** What others may know of a queue. */
export type QueueView = Pick<WorkQueue, 'depth' | 'oldestWaitingMs' | 'longestWorkMs' | 'failures'>;

/**
 * As client-go's workqueue: a key that is added while it is worked on runs once more afterwards. The two heaps may hold
 * entries that a newer one has replaced; those are passed over when they come up.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #urgency = new Map<string, number>();
  /** Since when each of these has been ready, by the monotonic clock; the oldest first. */
  readonly #readySince = new Map<string, number>();
  readonly #ready = new TinyQueue<Waiting>([], (a, b) => a.at - b.at);
  readonly #due = new Map<string, number>();
  readonly #later = new TinyQueue<Waiting>([], (a, b) => a.at - b.at);
  readonly #working = new Map<string, number | undefined>();
  /** Since when each of these has been worked on; the oldest first. */
  readonly #workingSince = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #failuresByCode = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #open = false;
  #idle: (() => void) | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** How many keys are ready to be worked on. */
  get depth(): number {
    return this.#urgency.size;
  }

  /** How long the key that waits longest has been ready; 0 without one. */
  get oldestWaitingMs(): number {
    return ageOfFirst(this.#readySince);
  }

  /** How long the work goes on that has gone on longest; 0 without one. */
  get longestWorkMs(): number {
    return ageOfFirst(this.#workingSince);
  }

  /** How often work has failed since the start of the process, by the code of the error. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failuresByCode;
  }

  /** Works until `signal` aborts; resolves when the last work has ended. What is still queued then is forgotten. */
  async run(signal: AbortSignal): Promise<void> {
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    this.#open = !signal.aborted;
    this.#pump();
    this.#arm();
    if (this.#open) await stopped;
    this.#open = false;
    clearTimeout(this.#timer);
    if (this.#working.size > 0) await new Promise<void>((done) => (this.#idle = done));
    for (const part of [this.#urgency, this.#readySince, this.#due, this.#failures]) part.clear();
    this.#ready.data = [];
    this.#ready.length = 0;
    this.#later.data = [];
    this.#later.length = 0;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  add(key: string, urgency: number = NOW): void {
    if (this.#working.has(key)) {
      this.#working.set(key, Math.min(this.#working.get(key) ?? urgency, urgency));
      return;
    }
    const current = this.#urgency.get(key);
    if (current !== undefined && current <= urgency) return;
    this.#urgency.set(key, urgency);
    if (current === undefined) this.#readySince.set(key, performance.now());
    this.#ready.push({ key, at: urgency });
    this.#pump();
  }

  /** Adds the key at a time (ms since 1970), with that urgency; replaces an earlier appointment of the key. */
  addAt(key: string, at: number): void {
    this.#due.set(key, at);
    this.#later.push({ key, at });
    this.#arm();
  }

  #pump(): void {
    while (this.#open && this.#working.size < this.#options.concurrency) {
      const next = this.#ready.pop();
      if (!next) return;
      if (this.#urgency.get(next.key) !== next.at) continue;
      this.#urgency.delete(next.key);
      this.#readySince.delete(next.key);
      this.#due.delete(next.key);
      this.#working.set(next.key, undefined);
      this.#workingSince.set(next.key, performance.now());
      void this.#work(next.key);
    }
  }

  async #work(key: string): Promise<void> {
    try {
      await this.#options.work(key);
      this.#failures.delete(key);
    } catch (error) {
      this.#retry(key, error);
    }
    const again = this.#working.get(key);
    this.#working.delete(key);
    this.#workingSince.delete(key);
    if (this.#open && again !== undefined) this.add(key, again);
    if (this.#working.size === 0) this.#idle?.();
    this.#pump();
  }

  #retry(key: string, error: unknown): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const code = codeOf(error);
    this.#failuresByCode.set(code, (this.#failuresByCode.get(code) ?? 0) + 1);
    const asked = error instanceof Error && 'retryAfterMs' in error ? Number(error.retryAfterMs ?? 0) : 0;
    const grown = Math.min(BACKOFF_MS.first * 2 ** Math.min(failures - 1, 20), BACKOFF_MS.most);
    const pauseMs = Math.max(asked, grown * (0.5 + Math.random()));
    this.#options.onFailure(key, error, pauseMs);
    if (this.#open) this.addAt(key, Date.now() + pauseMs);
  }

  #arm(): void {
    const next = this.#later.peek();
    if (!this.#open || !next || next.at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = next.at;
    this.#timer = setTimeout(
      () => this.#ring(),
      Math.min(Math.max(next.at - Date.now(), 0), LONGEST_TIMER_MS),
    );
  }

  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = Date.now();
    for (let next = this.#later.peek(); next && next.at <= now; next = this.#later.peek()) {
      this.#later.pop();
      if (this.#due.get(next.key) !== next.at) continue;
      this.#due.delete(next.key);
      this.add(next.key, next.at);
    }
    this.#arm();
  }
}

/** A Map keeps the order in which its keys came. */
function ageOfFirst(since: ReadonlyMap<string, number>): number {
  const [first] = since.values();
  return first === undefined ? 0 : performance.now() - first;
}
