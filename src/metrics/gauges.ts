// What is read off the running parts when somebody asks: nothing is kept for it, and nothing is paid while nobody asks.
import { Counter, Gauge, type Registry } from 'prom-client';

/** A work queue, as far as it is measured. */
export interface QueueState {
  readonly depth: number;
  /** How long the key that waits longest has been ready; 0 without one. */
  readonly oldestWaitingMs: number;
  /** How often work failed, by the code of the error. */
  readonly failures: ReadonlyMap<string, number>;
}

/** A watch cache, as far as it is measured. */
export interface CacheState {
  readonly objects: number;
  /** Since its watch told of anything, were it only that nothing has happened. */
  readonly heardMs: number;
  /** How old it can be at most; there only for those that are proven fresh. Infinity before the first proof. */
  readonly provenMs?: number;
}

export interface TokenState {
  readonly count: number;
  /** Of the token that has least; undefined where there is none. */
  readonly leastRemainingMs: number | undefined;
}

/** Where the figures come from. Each is asked once per scrape. */
export interface Sources {
  isLeading(): boolean;
  queues(): ReadonlyMap<string, QueueState>;
  caches(): ReadonlyMap<string, CacheState>;
  tokens(): TokenState;
  /** Users by their phase. */
  users(): ReadonlyMap<string, number>;
  /** Of the licence, by its own clock; undefined where there is none, or none that the vendor vouches for. */
  licenseRemainingMs(): number | undefined;
  /** Holds that wait for an admin, by their cause. */
  holds(): ReadonlyMap<string, number>;
  eventsDropped(): number;
  /** Users by what the directory says of them. */
  directoryUsers(): ReadonlyMap<string, number>;
  /** Since when the directory was asked what it last answered, in milliseconds, by the kind of question; empty where this replica does not ask. */
  directoryAnswers(): ReadonlyMap<string, number>;
}

export function gauges(registry: Registry, sources: Sources): void {
  const registers = [registry];

  const gauge = (name: string, help: string, read: () => number | undefined) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = read();
        // A figure that does not exist is left out: 0 would be a figure.
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  /** `read` gives the value of every label; what it no longer gives is gone. */
  const gaugeBy = <Label extends string>(
    name: string,
    help: string,
    label: Label,
    read: () => Iterable<readonly [string, number | undefined]>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [of, value] of read())
          if (value !== undefined) this.set({ [label]: of } as Record<Label, string>, value);
      },
    });

  /** Of what is counted elsewhere: `read` adds what it has come to. */
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    read: (add: (labels: Partial<Record<Label, string>>, times: number) => void) => void,
  ) =>
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        read((labels, times) => this.inc(labels, times));
      },
    });

  gauge('latchkey_leader', 'Whether this replica leads: 1 for one of them, 0 for the others.', () =>
    sources.isLeading() ? 1 : 0,
  );
  let tokens: TokenState = { count: 0, leastRemainingMs: undefined };
  gauge('latchkey_tokens', 'Tokens that lie in Secrets now.', () => {
    tokens = sources.tokens();
    return tokens.count;
  });
  gauge(
    'latchkey_token_least_remaining_seconds',
    'How long the token with the least time still lives; not there while there is no token.',
    () => seconds(tokens.leastRemainingMs),
  );
  gauge(
    'latchkey_license_remaining_seconds',
    'How long the licence still lasts, negative after its end; not there where none is required, or there is none.',
    () => seconds(sources.licenseRemainingMs()),
  );
  gaugeBy('latchkey_users', 'Users, by the phase in their status.', 'phase', () => sources.users());
  gaugeBy('latchkey_holds', 'Holds that wait for an admin to confirm them, by their cause.', 'cause', () =>
    sources.holds(),
  );

  gaugeBy(
    'latchkey_directory_users',
    'Users, by what the directory says of them; NotAsked where it has not said anything yet.',
    'state',
    () => sources.directoryUsers(),
  );
  gaugeBy(
    'latchkey_directory_answer_age_seconds',
    'Since the directory was asked what it last answered to the end: about changes, or about everybody (sweep); on the leader.',
    'kind',
    () => by(sources.directoryAnswers(), seconds),
  );

  gaugeBy(
    'latchkey_queue_depth',
    'Names that wait to be worked on, by the loop that works on them.',
    'loop',
    () => by(sources.queues(), ({ depth }) => depth),
  );
  gaugeBy(
    'latchkey_queue_oldest_waiting_seconds',
    'How long the name that waits longest has waited; 0 without one.',
    'loop',
    () => by(sources.queues(), ({ oldestWaitingMs }) => seconds(oldestWaitingMs)),
  );
  counter(
    'latchkey_failures_total',
    'Work that failed and is tried again, by the loop and the code of the error.',
    ['loop', 'code'],
    (add) => {
      for (const [loop, { failures }] of sources.queues())
        for (const [code, times] of failures) add({ loop, code }, times);
    },
  );

  gaugeBy('latchkey_cache_objects', 'Objects in a watch cache.', 'resource', () =>
    by(sources.caches(), ({ objects }) => objects),
  );
  gaugeBy(
    'latchkey_cache_silent_seconds',
    'Since the watch of a cache told of anything; the API server sends a sign of life every minute.',
    'resource',
    () => by(sources.caches(), ({ heardMs }) => seconds(heardMs)),
  );
  gaugeBy(
    'latchkey_cache_proven_age_seconds',
    'How old a cache can be at most, by the last proof of its freshness. Nothing is minted on one above 5.',
    'resource',
    () => by(sources.caches(), ({ provenMs }) => seconds(provenMs)),
  );
  counter('latchkey_events_dropped_total', 'Kubernetes Events that could not be sent.', [], (add) =>
    add({}, sources.eventsDropped()),
  );
}

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);

function* by<V>(
  all: ReadonlyMap<string, V>,
  read: (one: V) => number | undefined,
): Generator<readonly [string, number | undefined]> {
  for (const [name, one] of all) yield [name, read(one)];
}
