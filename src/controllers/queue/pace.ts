// How much work may be under way at once: little while the server takes nothing, more with each success.

/** At the least so many are tried at once: one may hang for its own reasons, and say nothing of the server. */
const LEAST = 4;
/** Between attempts while nothing succeeds: soon enough for the first possible write, seldom enough to be no load. */
const PAUSE_MS = { first: 50, most: 2_000 };

/**
 * As TCP does (RFC 5681, slow start): half as much after each failure that is the server's, down to a few attempts at a
 * time with pauses in between; twice as much after each success. So an outage costs next to nothing however many wait,
 * and what comes after it goes at the rate that the server takes. Times are of a monotonic clock, in milliseconds.
 */
export class Pace {
  readonly #most: number;
  readonly #least: number;
  #limit: number;
  #pauseMs = 0;
  #notBefore = 0;

  constructor(most: number) {
    this.#most = most;
    this.#least = Math.min(LEAST, most);
    this.#limit = most;
  }

  /** How much may be under way at once. */
  get limit(): number {
    return this.#limit;
  }

  get isSlow(): boolean {
    return this.#limit < this.#most;
  }

  /** How long nothing more may begin. */
  waitMs(now: number): number {
    return Math.max(this.#notBefore - now, 0);
  }

  succeeded(): void {
    this.#limit = Math.min(this.#limit * 2, this.#most);
    this.#pauseMs = 0;
    this.#notBefore = 0;
  }

  /** @param askedMs what the server has asked for (Retry-After, RFC 9110, section 10.2.3), or 0 */
  failed(askedMs: number, now: number): void {
    this.#limit = Math.max(Math.floor(this.#limit / 2), this.#least);
    if (this.#limit > this.#least) return;
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, PAUSE_MS.first), PAUSE_MS.most);
    this.#notBefore = now + Math.max(this.#pauseMs * (0.5 + Math.random() / 2), askedMs);
  }
}
