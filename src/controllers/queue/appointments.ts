// What is to come up at a set time: one appointment for each key, the earliest first.
import TinyQueue from 'tinyqueue';

export interface Appointment {
  readonly key: string;
  /** ms since 1970 */
  readonly at: number;
  readonly urgency: number;
}

/** How many replaced entries the heap may hold beside as many that count. */
const SPARE = 64;

/** The heap may hold entries that a newer one has replaced; those are passed over when they come up. */
export class Appointments {
  readonly #due = new Map<string, Appointment>();
  #heap = new TinyQueue<Appointment>([], byTime);

  /** Of all entries, also those that count no more. */
  get entries(): number {
    return this.#heap.length;
  }

  /** When the first one is; undefined without any. */
  get next(): number | undefined {
    for (let first = this.#heap.peek(); first; first = this.#heap.peek()) {
      if (this.#due.get(first.key) === first) return first.at;
      this.#heap.pop();
    }
    return undefined;
  }

  /** Replaces an earlier appointment of the key. */
  make(appointment: Appointment): void {
    this.#due.set(appointment.key, appointment);
    // A key that something happens to all the time would leave an entry behind each time, until its hour has come.
    if (this.#heap.length >= 2 * this.#due.size + SPARE)
      this.#heap = new TinyQueue([...this.#due.values()], byTime);
    else this.#heap.push(appointment);
  }

  cancel(key: string): void {
    this.#due.delete(key);
  }

  /** @returns those that are due, which are then forgotten */
  takeDue(now: number): Appointment[] {
    const due: Appointment[] = [];
    for (let at = this.next; at !== undefined && at <= now; at = this.next) {
      const first = this.#heap.pop();
      if (!first) break;
      this.#due.delete(first.key);
      due.push(first);
    }
    return due;
  }

  clear(): void {
    this.#due.clear();
    this.#heap = new TinyQueue([], byTime);
  }
}

function byTime(a: Appointment, b: Appointment): number {
  return a.at - b.at;
}
