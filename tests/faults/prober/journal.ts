// What should be so: who is signed in, whose sessions have ended, and what was done to whose Secret, as the test did it.
import type { Timeline } from './timeline.ts';

export interface SessionRecord {
  /** When the API server had confirmed what ended it (ms since 1970). */
  endedAt?: number;
  /** Whether its token was read. */
  isSeen?: boolean;
  /** A resourceVersion at which its token was seen to be gone: every later one is without it, too. */
  goneVersion?: number;
}

export interface Person {
  /** Of the User and its namespace. */
  readonly name: string;
  readonly uid: string;
  readonly sessions: Map<string, SessionRecord>;
  /** The session that counts, and since when (ms since 1970) for sure. */
  current?: { readonly sid: string; readonly since: number };
  /** Somebody signs in through the portal: its session gets its name there, and is not known here yet. */
  signingIn: boolean;
  /** When somebody last laid hands on the Secret, its binding or its namespace. */
  disturbedAt: number;
}

/** Everything is told to it before it is done or after it is confirmed, so that nobody is blamed for what may be so. */
export class Journal {
  readonly timeline: Timeline;
  readonly #people = new Map<string, Person>();
  readonly #now: () => number;

  constructor(timeline: Timeline, now: () => number = Date.now) {
    this.timeline = timeline;
    this.#now = now;
  }

  people(): IterableIterator<Person> {
    return this.#people.values();
  }

  find(name: string): Person | undefined {
    return this.#people.get(name);
  }

  get(name: string): Person {
    const person = this.#people.get(name);
    if (!person) throw new Error(`nobody has made ${name}`);
    return person;
  }

  made(name: string, uid: string): void {
    this.#people.set(name, { name, uid, sessions: new Map(), signingIn: false, disturbedAt: 0 });
  }

  /** Before the session is written. */
  starting(name: string, sid: string): void {
    this.get(name).sessions.set(sid, {});
  }

  /** After it is. */
  started(name: string, sid: string): void {
    const person = this.get(name);
    person.signingIn = false;
    person.sessions.set(sid, person.sessions.get(sid) ?? {});
    person.current = { sid, since: this.#now() };
  }

  /** Before a sign-in through the portal; `started` ends it. */
  signingIn(name: string): void {
    this.get(name).signingIn = true;
  }

  /** Before something is written that ends the session. */
  ending(name: string): void {
    delete this.get(name).current;
  }

  /** After it is. */
  ended(name: string): void {
    for (const session of this.get(name).sessions.values()) session.endedAt ??= this.#now();
  }

  /** Before and after somebody lays hands on what is a person's. */
  disturbed(name: string): void {
    this.get(name).disturbedAt = this.#now();
  }
}
