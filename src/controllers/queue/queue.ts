// A work queue of names: each at most once, the most urgent first, failures again after a pause, some names at a set time.
import { ApiError, ApiUnreachableError } from '../../kubernetes/api-error.ts';
import { codeOf } from '../../errors.ts';
import { Appointments } from './appointments.ts';
import { Pace } from './pace.ts';
import { ReadyKeys } from './ready.ts';
import { NOW } from './urgency.ts';

const BACKOFF_MS = { first: 50, most: 30_000 };
/** For a key that fails as all others do: it is not to blame, and has to be there when the server is back. */
const MOST_SHARED_MS = 2_000;
/** The most that is believed of a Retry-After: a token has minutes, and who asks for hours is no API server. */
const MOST_ASKED_MS = 30_000;
/** Keys that the server fails at while others succeed share these of the places: their requests may hang for long. */
const STRUGGLING_SHARE = 1 / 4;
/**
 * Work that begins together costs less, as code and data are still in the processor's caches. So where more waits than may
 * be under way, this share of the places stays empty for a moment, until they are filled at once.
 */
const TOGETHER = { share: 1 / 4, waitMs: 10 };
/** Appointments are by the wall clock, which may be set; a timer counts apart from it, so it rings early and looks. */
const LONGEST_TIMER_MS = 2_000;

export interface WorkQueueOptions {
  readonly concurrency: number;
  /** Does the work for one key. It is never run twice at once for one key. */
  readonly work: (key: string) => Promise<void>;
  readonly onFailure: (key: string, error: unknown, pauseMs: number) => void;
}

/** What others may know of a queue. */
export type QueueView = Pick<WorkQueue, 'depth' | 'oldestWaitingMs' | 'longestWorkMs' | 'failures'>;

interface Working {
  readonly urgency: number;
  readonly struggling: boolean;
  /** By the monotonic clock. */
  readonly since: number;
  /** Added meanwhile, with that urgency: it runs once more. */
  again?: number;
}

/** The failures of one key in a row: those that it shared with all others, and those that are its own. */
interface Failing {
  readonly shared: number;
  readonly own: number;
  /** Whether the last one may have cost time, and not only an answer. */
  readonly ofServer: boolean;
  /** How many successes of others there had been at the first. */
  readonly successesBefore: number;
}

/** As client-go's workqueue: a key that is added while it is worked on runs once more afterwards. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #ready = new ReadyKeys();
  readonly #later = new Appointments();
  readonly #pace: Pace;
  /** The oldest first. */
  readonly #working = new Map<string, Working>();
  readonly #failing = new Map<string, Failing>();
  readonly #failuresByCode = new Map<string, number>();
  #successes = 0;
  #struggling = 0;
  #timer: NodeJS.Timeout | undefined;
  #together: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #state: 'Closed' | 'Beginning' | 'Open' = 'Closed';
  #idle: (() => void) | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#pace = new Pace(options.concurrency);
  }

  /** How many keys are ready to be worked on. */
  get depth(): number {
    return this.#ready.size;
  }

  /** How long the key that waits longest has been ready; 0 without one. */
  get oldestWaitingMs(): number {
    return this.#ready.oldestMs;
  }

  /** How long the work goes on that has gone on longest; 0 without one. */
  get longestWorkMs(): number {
    const [first] = this.#working.values();
    return first === undefined ? 0 : performance.now() - first.since;
  }

  /** How often work has failed since the start of the process, by the code of the error. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failuresByCode;
  }

  /**
   * Works until `signal` aborts; resolves when the last work has ended. What is still queued then is forgotten.
   * @param begin adds what there is to begin with, before any work does. What was added while this did not run is not
   *   kept: it would stand before what is more urgent, and a replica that stands by has nothing to do.
   */
  async run(signal: AbortSignal, begin: () => void): Promise<void> {
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (!signal.aborted) {
      this.#state = 'Beginning';
      begin();
      this.#state = 'Open';
      this.#pump();
      this.#arm();
      await stopped;
    }
    this.#state = 'Closed';
    if (this.#working.size > 0) await new Promise<void>((done) => (this.#idle = done));
    clearTimeout(this.#together);
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#ready.clear();
    this.#later.clear();
    this.#failing.clear();
  }

  add(key: string, urgency: number = NOW): void {
    if (this.#state === 'Closed') return;
    const working = this.#working.get(key);
    if (working) {
      working.again = Math.min(working.again ?? urgency, urgency);
      return;
    }
    this.#ready.add(key, urgency, this.#struggles(key));
    this.#pump();
  }

  /** Adds the key at a time (ms since 1970), with that urgency; replaces an earlier appointment of the key. */
  addAt(key: string, at: number, urgency: number = at): void {
    if (this.#state === 'Closed') return;
    this.#later.make({ key, at, urgency });
    this.#arm();
  }

  #pump(): void {
    clearTimeout(this.#together);
    this.#together = undefined;
    if (this.#pace.waitMs(performance.now()) > 0) return this.#arm();
    while (this.#state === 'Open' && this.#working.size < this.#pace.limit) {
      const next = this.#ready.take({
        strugglingToo: this.#struggling < this.#pace.limit * STRUGGLING_SHARE,
        anyway: this.#pace.isSlow,
      });
      if (!next) return;
      this.#later.cancel(next.key);
      void this.#work(next.key, { ...next, since: performance.now() });
    }
  }

  #pumpTogether(): void {
    const room = this.#pace.limit - this.#working.size;
    if (room >= Math.floor(this.#pace.limit * TOGETHER.share)) this.#pump();
    else this.#together ??= setTimeout(() => this.#pump(), TOGETHER.waitMs);
  }

  async #work(key: string, working: Working): Promise<void> {
    this.#working.set(key, working);
    if (working.struggling) this.#struggling += 1;
    try {
      await this.#options.work(key);
      this.#failing.delete(key);
      this.#successes += 1;
      this.#pace.succeeded();
    } catch (error) {
      this.#retry(key, error, working.urgency);
    }
    this.#working.delete(key);
    if (working.struggling) this.#struggling -= 1;
    if (working.again !== undefined) this.add(key, working.again);
    if (this.#working.size === 0) this.#idle?.();
    this.#pumpTogether();
  }

  #retry(key: string, error: unknown, urgency: number): void {
    const code = codeOf(error);
    this.#failuresByCode.set(code, (this.#failuresByCode.get(code) ?? 0) + 1);

    const before = this.#failing.get(key) ?? { shared: 0, own: 0, successesBefore: this.#successes };
    const ofServer = isOfServer(error);
    const isShared = ofServer && before.successesBefore === this.#successes;
    const failing: Failing = {
      ...before,
      ...(isShared ? { shared: before.shared + 1 } : { own: before.own + 1 }),
      ofServer,
    };
    this.#failing.set(key, failing);

    const askedMs = Math.min((error instanceof ApiError && error.retryAfterMs) || 0, MOST_ASKED_MS);
    if (isShared) this.#pace.failed(askedMs, performance.now());
    const [count, most] = isShared ? [failing.shared, MOST_SHARED_MS] : [failing.own, BACKOFF_MS.most];
    const grown = Math.min(BACKOFF_MS.first * 2 ** Math.min(count - 1, 20), most);
    const pauseMs = Math.max(askedMs, grown * (0.5 + Math.random()));
    this.#options.onFailure(key, error, pauseMs);
    this.addAt(key, Date.now() + pauseMs, urgency);
  }

  /** Whether the server has failed at it while others succeeded: then it must not hold the others up. */
  #struggles(key: string): boolean {
    const failing = this.#failing.get(key);
    return failing !== undefined && failing.own > 0 && failing.ofServer;
  }

  #arm(): void {
    if (this.#state !== 'Open') return;
    const paceAt = this.#ready.size > 0 ? this.#pace.waitMs(performance.now()) : 0;
    const next = Math.min(
      this.#later.next ?? Number.POSITIVE_INFINITY,
      paceAt > 0 ? Date.now() + paceAt : Number.POSITIVE_INFINITY,
    );
    if (next >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = next;
    this.#timer = setTimeout(() => this.#ring(), Math.min(Math.max(next - Date.now(), 0), LONGEST_TIMER_MS));
  }

  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    for (const { key, urgency } of this.#later.takeDue(Date.now())) this.add(key, urgency);
    this.#pump();
    this.#arm();
  }
}

/** Whether it may be the whole server that fails, rather than what was asked of it. */
function isOfServer(error: unknown): boolean {
  if (error instanceof ApiUnreachableError) return true;
  return error instanceof ApiError && (error.status === 429 || error.status >= 500);
}
