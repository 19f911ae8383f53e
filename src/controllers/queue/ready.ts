// The keys that are ready to be worked on, and which of them is next: the most urgent, but so that nothing starves.
import TinyQueue from 'tinyqueue';
import { FIRST_MOMENT, LATE } from './urgency.ts';

export interface Ready {
  readonly key: string;
  readonly urgency: number;
}

/**
 * Where both wait, every so many keys one is taken whose time has come, although changes are more urgent: a thousand new
 * Users must not keep tokens from being replaced.
 */
const EVERY = 4;

type Lane = 'changes' | 'moments' | 'late' | 'struggling';

function laneOf(urgency: number): Lane {
  if (urgency >= LATE) return 'late';
  return urgency < FIRST_MOMENT ? 'changes' : 'moments';
}

/** The heaps may hold entries that a more urgent one has replaced; those are passed over when they come up. */
export class ReadyKeys {
  readonly #urgency = new Map<string, Ready & { readonly lane: Lane }>();
  /** Since when each has been ready, by the monotonic clock; the oldest first. */
  readonly #since = new Map<string, number>();
  #lanes = emptyLanes();
  #turn = 0;

  get size(): number {
    return this.#urgency.size;
  }

  /** How long the key that waits longest has been ready; 0 without one. */
  get oldestMs(): number {
    const [first] = this.#since.values();
    return first === undefined ? 0 : performance.now() - first;
  }

  /** @param struggling whether it has failed again and again, while others have not */
  add(key: string, urgency: number, struggling: boolean): void {
    const current = this.#urgency.get(key);
    if (current && current.urgency <= urgency) return;
    const lane = struggling ? 'struggling' : laneOf(urgency);
    const entry = { key, urgency, lane };
    this.#urgency.set(key, entry);
    if (!current) this.#since.set(key, performance.now());
    this.#lanes[lane].push(entry);
  }

  /**
   * @param options.strugglingToo whether there is room for one that struggles
   * @param options.anyway whether to try others than the most urgent: these may be why nothing succeeds
   */
  take({ strugglingToo, anyway }: { readonly strugglingToo: boolean; readonly anyway: boolean }) {
    this.#turn = (this.#turn + 1) % EVERY;
    const struggling = strugglingToo ? this.#next('struggling') : undefined;
    const next = struggling ?? (anyway && this.#turn % 2 === 1 ? this.#longestWaiting() : this.#inTurn());
    if (!next) return undefined;
    this.#urgency.delete(next.key);
    this.#since.delete(next.key);
    return { key: next.key, urgency: next.urgency, struggling: next === struggling };
  }

  clear(): void {
    this.#urgency.clear();
    this.#since.clear();
    this.#lanes = emptyLanes();
  }

  /** Its entry in a heap is passed over later. */
  #longestWaiting(): Ready | undefined {
    for (const key of this.#since.keys()) {
      const entry = this.#urgency.get(key);
      if (entry?.lane !== 'struggling') return entry;
    }
    return undefined;
  }

  #inTurn(): Ready | undefined {
    const order = this.#turn === 0 ? (['moments', 'changes'] as const) : (['changes', 'moments'] as const);
    return this.#next(order[0]) ?? this.#next(order[1]) ?? this.#next('late');
  }

  #next(lane: Lane): Ready | undefined {
    const heap = this.#lanes[lane];
    for (let entry = heap.pop(); entry; entry = heap.pop()) {
      if (this.#urgency.get(entry.key) === entry) return entry;
    }
    return undefined;
  }
}

function emptyLanes(): Record<Lane, TinyQueue<Ready>> {
  const heap = () => new TinyQueue<Ready>([], (a, b) => a.urgency - b.urgency);
  return { changes: heap(), moments: heap(), late: heap(), struggling: heap() };
}
