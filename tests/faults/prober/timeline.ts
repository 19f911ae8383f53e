// When a live leader could write to the API server, as whoever causes the faults knows it.

export interface Outage {
  over(): void;
}

/**
 * `Unmintable`: it can write, and must mint nothing, since its clock differs from the API server's. `TooSlow`: the
 * machine has other things to do, so that nobody can write in time.
 */
export type OutageKind = 'NoLeader' | 'NoApiServer' | 'Unmintable' | 'TooSlow';

interface Interval {
  readonly kind: OutageKind;
  readonly from: number;
  to: number;
}

export class Timeline {
  readonly #outages: Interval[] = [];

  /** Begins now; whoever declares it ends it, once a live leader can write again. */
  outage(kind: OutageKind, now: () => number = Date.now): Outage {
    const interval: Interval = { kind, from: now(), to: Number.POSITIVE_INFINITY };
    this.#outages.push(interval);
    return {
      over() {
        interval.to = now();
      },
    };
  }

  /** The longest time without a break, between two moments, in which none of these outages was: milliseconds. */
  longestAble(from: number, to: number, kinds: readonly OutageKind[]): number {
    const between = this.#outages
      .filter((outage) => kinds.includes(outage.kind) && outage.to > from && outage.from < to)
      .toSorted((a, b) => a.from - b.from);
    let longest = 0;
    let free = from;
    for (const outage of between) {
      longest = Math.max(longest, outage.from - free);
      free = Math.max(free, outage.to);
    }
    return Math.max(longest, to - free);
  }

  /** The time without a break at the end of it, in which none of these outages was: milliseconds. */
  ableUntil(from: number, to: number, kinds: readonly OutageKind[]): number {
    const ends = this.#outages
      .filter((outage) => kinds.includes(outage.kind) && outage.to > from && outage.from < to)
      .map((outage) => Math.min(outage.to, to));
    return to - Math.max(from, ...ends);
  }

  /** What is known only afterwards. */
  was(kind: OutageKind, from: number, to: number): void {
    this.#outages.push({ kind, from, to });
  }

  /** How much of the time between two moments such outages took, in milliseconds. */
  total(kind: OutageKind, from: number, to: number): number {
    return this.#outages
      .filter((outage) => outage.kind === kind && outage.to > from && outage.from < to)
      .reduce((sum, outage) => sum + Math.min(outage.to, to) - Math.max(outage.from, from), 0);
  }

  /** Whether the API server was away at some time between two moments. */
  wasAway(from: number, to: number): boolean {
    return this.#outages.some(
      (outage) => outage.kind === 'NoApiServer' && outage.to > from && outage.from < to,
    );
  }
}
