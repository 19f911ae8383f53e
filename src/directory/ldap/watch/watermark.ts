// Remembers up to where the changes of a server are known, and makes the filter for those that came after.

/** Active Directory counts the changes of each server; it says whose count it is, and how far it has come. */
export interface UsnMark {
  readonly kind: 'usn';
  /** dsServiceName: a count means nothing on another server. */
  readonly server: string;
  readonly usn: bigint;
}

/** Other servers write down when an entry was changed, by their own clock. */
export interface TimeMark {
  readonly kind: 'time';
  /** The latest modifyTimestamp that was seen, in milliseconds since 1970. */
  readonly latest: number;
  /** When it was seen, by this process's monotonic clock: then the server's clock stood at `latest` or later. */
  readonly seenAt: number;
  /** When the last question was asked that was answered, by the same clock: what changed later was in no answer. */
  readonly askedAt: number;
}

export type Mark = UsnMark | TimeMark;

/** When a question was asked, and when the answer to it was whole. */
export interface Took {
  readonly beganAt: number;
  readonly endedAt: number;
}

/**
 * Changes that another server made arrive late, with the time that they were made at. Later ones than this are left
 * to the next sweep.
 */
const OVERLAP_MS = 5_000;
const GRAIN_MS = 1_000;

/**
 * The filter of RFC 4515 for what may have changed since the mark.
 *
 * By the clock: everything since the overlap before the time that the server's clock must have reached when the last
 * question was asked. Once that has passed the latest change, the mark does not show it again, however many entries
 * share its second.
 */
export function changedSince(mark: Mark): string {
  if (mark.kind === 'usn') return `(uSNChanged>=${mark.usn + 1n})`;
  const since = mark.latest + Math.min(mark.askedAt - mark.seenAt - OVERLAP_MS, GRAIN_MS);
  return `(modifyTimestamp>=${generalizedTimeText(since)})`;
}

/**
 * A time of change this far ahead of our own clock is that of a clock that was wrong once, unless there is none but such:
 * then the clock of the server is ahead now.
 */
const AHEAD_MS = 60 * 60_000;
/** And this far ahead no clock goes that people live with. */
const MOST_AHEAD_MS = 7 * 24 * 60 * 60_000;

/** The latest change of an answer, by a clock that may be right, and by one that is ahead. */
export class LatestChange {
  readonly #now: number;
  #right: number | undefined;
  #ahead: number | undefined;

  /** @param now when the question was asked, by our own clock, in milliseconds since 1970 */
  constructor(now: number) {
    this.#now = now;
  }

  /** @param changed when an entry was changed; undefined where it does not say */
  note(changed: number | undefined): void {
    if (changed === undefined || changed >= this.#now + MOST_AHEAD_MS) return;
    if (changed < this.#now + AHEAD_MS) this.#right = Math.max(this.#right ?? changed, changed);
    else this.#ahead = Math.max(this.#ahead ?? changed, changed);
  }

  /** Of an answer about everybody. */
  get ofAll(): number | undefined {
    return this.#right ?? this.#ahead;
  }

  /** Of an answer about what has changed: by the clock that the mark was made by. */
  after({ latest }: TimeMark): number | undefined {
    return latest >= this.#now + AHEAD_MS ? this.#ahead : this.#right;
  }
}

/** The mark after an answer in which `latest` was the latest change. @param took by the monotonic clock */
export function advanced(mark: TimeMark, latest: number | undefined, took: Took): TimeMark {
  if (latest === undefined || latest <= mark.latest) return { ...mark, askedAt: took.beganAt };
  return { kind: 'time', latest, seenAt: took.endedAt, askedAt: took.beganAt };
}

/** The mark after a sweep in which `latest` was the latest change; it may have missed what changed while it ran. */
export function afterSweep(latest: number | undefined, { beganAt, endedAt }: Took): TimeMark | undefined {
  return latest === undefined ? undefined : { kind: 'time', latest, seenAt: endedAt, askedAt: beganAt };
}

/** RFC 4517, section 3.3.13; what is left of a second is cut off. */
function generalizedTimeText(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
}
