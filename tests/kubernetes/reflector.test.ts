// The reflector against an API server that fails in every way: it never gives up, never runs hot, and ends with the truth.
import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { kubernetesClient } from '../../src/kubernetes/client.ts';
import { reflect, type Reflector } from '../../src/kubernetes/reflector.ts';
import type { Resource } from '../../src/kubernetes/resource.ts';
import { Store } from '../../src/kubernetes/store.ts';
import { afterTest, besideOthers } from '../support/after-test.ts';
import {
  type Answer,
  type ScriptedApiServer,
  type ScriptedRequest,
  startScriptedApiServer,
} from '../support/scripted-api-server.ts';
import {
  bookmark,
  expired,
  isList,
  isProbe,
  isWatch,
  line,
  object,
  page,
  quiet,
  refuse,
  RESOURCE,
  type Seen,
  versionsOf,
} from './scripted-resource.ts';

const DEADLINE_MS = 60_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Parts {
  list?: (answer: Answer, request: ScriptedRequest) => void;
  watch?: (answer: Answer, request: ScriptedRequest) => void;
  probe?: (answer: Answer) => void;
}

interface Ground {
  readonly server: ScriptedApiServer;
  readonly store: Store<Seen>;
  readonly life: AbortController;
  /** The resources whose watches broke, each time that one did. */
  readonly broken: readonly string[];
  /** One object at 5, in a history that goes on to 10, with a watch that is quiet; but for what the test says. */
  start(parts: Parts, resource?: Resource<Seen>): Reflector;
  watches(): readonly ScriptedRequest[];
  lists(): readonly ScriptedRequest[];
  converged(versions: Record<string, number>): Promise<unknown>;
}

/** Each test has its own, so that they wait side by side. */
async function ground(): Promise<Ground> {
  const broken: string[] = [];
  const server = await startScriptedApiServer(() => undefined);
  const client = kubernetesClient(server.connection);
  const store = new Store<Seen>();
  const life = new AbortController();
  let reflector: Reflector | undefined;
  afterTest(async () => {
    life.abort();
    await reflector?.done;
    expect(getEventListeners(life.signal, 'abort')).toEqual([]);
    await waitUntil('every stream to be given back', DEADLINE_MS, () => server.open() === 0);
    await client.close();
    await server.close();
  });
  return {
    server,
    store,
    life,
    broken,
    start(parts, resource = RESOURCE) {
      const {
        list = (answer) => page(answer, [object('a', 5)], 10),
        watch = (answer) => answer.write(bookmark(10)),
        probe = (answer) => page(answer, [], 10),
      } = parts;
      server.script = (request, answer) =>
        isWatch(request) ? watch(answer, request) : isProbe(request) ? probe(answer) : list(answer, request);
      reflector = reflect(client, resource, store, {
        log: quiet,
        signal: life.signal,
        onBroken: (name) => void broken.push(name),
      });
      return reflector;
    },
    watches: () => server.requests.filter(isWatch),
    lists: () => server.requests.filter(isList),
    converged: (versions) =>
      waitUntil(
        `the store to hold ${JSON.stringify(versions)}`,
        DEADLINE_MS,
        () => JSON.stringify(versionsOf(store)) === JSON.stringify(versions),
      ),
  };
}

/** Answers in turn; the last one for good. */
function inTurn<Args extends unknown[]>(...answers: ((...args: Args) => void)[]): (...args: Args) => void {
  let turn = 0;
  return (...args) => {
    const answer = answers[Math.min(turn, answers.length - 1)];
    turn += 1;
    answer?.(...args);
  };
}

test.concurrent(
  'a watch that breaks is told, and one that ends in good order is not',
  besideOthers(async () => {
    const { broken, start, watches } = await ground();
    start({
      watch: inTurn(
        (answer) => answer.end(bookmark(11)),
        (answer) => answer.end(line('ERROR', { code: 500 })),
        (answer) => answer.breakConnection(),
        (answer) => answer.write(bookmark(12)),
      ),
    });
    await waitUntil('the fourth watch', DEADLINE_MS, () => watches().length === 4);
    expect(broken).toEqual(['things', 'things']);
  }),
);

test.concurrent(
  'while a watch goes on, nothing keeps what was listed before it and has changed since',
  besideOthers(async () => {
    const { start, converged } = await ground();
    let listed: WeakRef<Seen> | undefined;
    const resource: Resource<Seen> = {
      ...RESOURCE,
      view(raw) {
        const seen = RESOURCE.view(raw);
        listed ??= new WeakRef(seen);
        return seen;
      },
    };
    start({ watch: (answer) => answer.write(line('MODIFIED', object('a', 11))) }, resource);
    await converged({ a: 11 });
    await waitUntil('the first version to be collected', DEADLINE_MS, () => {
      collect();
      return listed !== undefined && listed.deref() === undefined;
    });
  }),
);

describe('the list', () => {
  test.concurrent(
    'is read page by page, and the watch goes on from where it ends',
    besideOthers(async () => {
      const { store, start, watches, lists } = await ground();
      const reflector = start({
        list: (answer, { query }) => {
          const at = Number(query.get('continue') ?? 0);
          page(answer, [object(`item-${at}`, at + 1)], 10, at < 3 ? String(at + 1) : '');
        },
      });
      await reflector.synced;
      expect(versionsOf(store)).toEqual({ 'item-0': 1, 'item-1': 2, 'item-2': 3, 'item-3': 4 });
      await waitUntil('the watch', DEADLINE_MS, () => watches().length === 1);
      expect(watches()[0]?.query.get('resourceVersion')).toBe('10');
      expect(lists().map(({ query }) => query.get('limit'))).toEqual(['500', '500', '500', '500']);
      expect(lists()[0]?.query.has('resourceVersion')).toBe(false);
    }),
  );

  test.concurrent(
    'may be empty, and say so with null',
    besideOthers(async () => {
      const { server, store, start } = await ground();
      const reflector = start(
        { list: (answer) => page(answer, null, 10) },
        { ...RESOURCE, metadataOnly: true },
      );
      await reflector.synced;
      expect(store.size).toBe(0);
      expect(store.resourceVersion).toBe('10');
      expect(server.requests[0]?.headers['accept']).toBe(
        'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      );
    }),
  );

  test.concurrent(
    'is read again from its beginning where its pages expire in between, and nothing of it is kept',
    besideOthers(async () => {
      const { store, start, lists } = await ground();
      const reflector = start({
        list: inTurn(
          (answer) => page(answer, [object('gone', 3)], 10, 'next'),
          (answer) => refuse(answer, 410, expired()),
          (answer) => page(answer, [object('a', 15)], 20, 'next'),
          (answer) => page(answer, [object('b', 16)], 20),
        ),
      });
      await reflector.synced;
      expect(versionsOf(store)).toEqual({ a: 15, b: 16 });
      expect(lists().map(({ query }) => query.get('continue'))).toEqual([null, 'next', null, 'next']);
    }),
  );

  test.concurrent.each<[string, (answer: Answer) => void]>([
    ['500', (answer) => refuse(answer, 500, { reason: 'InternalError' })],
    ['401', (answer) => refuse(answer, 401, { reason: 'Unauthorized' })],
    ['403', (answer) => refuse(answer, 403, { reason: 'Forbidden' })],
    ['a page of HTML', (answer) => answer.end('<html>')],
    ['a page without items and metadata', (answer) => answer.end('{}')],
    ['a broken connection', (answer) => answer.breakConnection()],
  ])(
    'that is answered with %s is asked for again, with growing pauses',
    besideOthers(async (_what, list) => {
      const { store, start, lists } = await ground();
      const reflector = start({
        list: inTurn(list, list, list, (answer) => page(answer, [object('a', 5)], 10)),
      });
      await reflector.synced;
      expect(versionsOf(store)).toEqual({ a: 5 });
      const [first = 0, , , last = 0] = lists().map(({ at }) => at);
      // 200, 400 and 800 ms, each times 0.5 to 1.5.
      expect(last - first).toBeGreaterThan(690);
      expect(lists()).toHaveLength(4);
    }),
  );

  test.concurrent(
    'that is answered with 404, as where the CRD is gone, is complete without an object, and asked for again',
    besideOthers(async () => {
      const { store, start, lists } = await ground();
      const notThere = (answer: Parameters<typeof refuse>[0]) => refuse(answer, 404);
      const reflector = start({
        list: inTurn(notThere, notThere, (answer) => page(answer, [object('a', 5)], 10)),
      });
      await reflector.synced;
      expect(versionsOf(store)).toEqual({});
      expect(store.resourceVersion).toBeUndefined();
      await waitUntil('the list', DEADLINE_MS, async () => store.size === 1);
      const [first = 0, , last = 0] = lists().map(({ at }) => at);
      // 200 and 400 ms, each times 0.5 to 1.5.
      expect(last - first).toBeGreaterThan(290);
    }),
  );

  test.concurrent(
    'that is answered with 429 is asked for again when the answer says, and not before',
    besideOthers(async () => {
      const { start, lists } = await ground();
      const reflector = start({
        list: inTurn(
          (answer) => refuse(answer, 429, { reason: 'TooManyRequests' }, { 'retry-after': '2' }),
          (answer) => page(answer, [object('a', 5)], 10),
        ),
      });
      await reflector.synced;
      const [first = 0, second = 0] = lists().map(({ at }) => at);
      expect(second - first).toBeGreaterThan(1_990);
      // Not the 15 s that a pause may be without being asked for.
      expect(second - first).toBeLessThan(10_000);
    }),
  );
});

test.concurrent(
  'who knows that it may succeed now ends its pause, and its pauses are short again',
  besideOthers(async () => {
    const { start, lists, broken } = await ground();
    const reflector = start({
      list: inTurn(
        (answer) => refuse(answer, 429, {}, { 'retry-after': '60' }),
        (answer) => refuse(answer, 404),
        (answer) => page(answer, [object('a', 5)], 10),
      ),
    });
    await waitUntil('the pause', DEADLINE_MS, () => broken.length === 1);
    reflector.hurry();
    // Far less than the minute that was asked for.
    await waitUntil('two more lists', 20_000, () => lists().length === 3);
    await reflector.synced;
  }),
);

describe('the watch', () => {
  test.concurrent.each<[string, (answer: Answer) => void]>([
    ['410', (answer) => refuse(answer, 410, expired())],
    ['an ERROR 410', (answer) => answer.write(line('ERROR', expired()))],
    [
      'an ERROR 410 after events',
      (answer) => answer.write(line('MODIFIED', object('a', 11)) + line('ERROR', expired())),
    ],
  ])(
    'that is answered with %s begins anew, after a list',
    besideOthers(async (_what, watch) => {
      const { start, watches, lists, converged } = await ground();
      start({
        list: inTurn(
          (answer) => page(answer, [object('a', 5), object('b', 6)], 10),
          (answer) => page(answer, [object('a', 25)], 30),
        ),
        watch: inTurn(watch, (answer) => answer.write(line('ADDED', object('c', 31)))),
        probe: (answer) => page(answer, [], 30),
      });
      await converged({ a: 25, c: 31 });
      expect(lists()).toHaveLength(2);
      expect(watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '30']);
    }),
  );

  test.concurrent.each<[string, (answer: Answer) => void]>([
    ['an ERROR 500', (answer) => answer.write(line('ERROR', { code: 500, reason: 'InternalError' }))],
    ['a line that is no JSON', (answer) => answer.write('garbage\n')],
    [
      'half a line',
      (answer) => {
        answer.write('{"type":"MODI');
        setTimeout(() => answer.breakConnection(), 20);
      },
    ],
    ['its end, in good order', (answer) => answer.end()],
  ])(
    'goes on from the last event, without a list, after %s',
    besideOthers(async (_what, cut) => {
      const { start, watches, lists, converged } = await ground();
      start({
        watch: inTurn(
          (answer) => {
            answer.write(line('MODIFIED', object('a', 11)) + line('ADDED', object('b', 12)));
            cut(answer);
          },
          (answer) => answer.write(line('DELETED', object('b', 13)) + line('ADDED', object('c', 14))),
        ),
        probe: (answer) => page(answer, [], 14),
      });
      await converged({ a: 11, c: 14 });
      expect(lists()).toHaveLength(1);
      expect(watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '12']);
    }),
  );

  test.concurrent(
    'that keeps failing is not believed: after three times a list settles it',
    besideOthers(async () => {
      const { start, watches, converged } = await ground();
      start({
        list: inTurn(
          (answer) => page(answer, [object('a', 5)], 10),
          (answer) => page(answer, [object('b', 11)], 12),
        ),
        watch: (answer, { query }) =>
          query.get('resourceVersion') === '10' ? refuse(answer, 504) : answer.write(bookmark(12)),
        probe: (answer) => page(answer, [], 12),
      });
      await converged({ b: 11 });
      await waitUntil('the watch after the list', DEADLINE_MS, () => watches().length === 4);
      expect(watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '10', '10', '12']);
    }),
  );

  test.concurrent(
    'that waits for a future which a restored etcd has never seen is replaced by a list',
    besideOthers(async () => {
      const { store, start, watches, converged } = await ground();
      start({
        list: inTurn(
          (answer) => page(answer, [object('a', 900), object('b', 950)], 1_000),
          (answer) => page(answer, [object('a', 400)], 500),
        ),
        // As the real one does (tried): it takes a resourceVersion from the future, and stays silent.
        watch: inTurn(
          (answer) => answer.end(bookmark(1_000)),
          (answer) => answer.head(200),
        ),
        probe: (answer) => page(answer, [], 500),
      });
      await converged({ a: 400 });
      expect(store.resourceVersion).toBe('500');
      expect(watches().map(({ query }) => query.get('resourceVersion'))[0]).toBe('1000');
    }),
  );

  test.concurrent(
    'that an object breaks, in the eyes of our own view, costs a pause and not the process',
    besideOthers(async () => {
      const { start, converged } = await ground();
      const picky: Resource<Seen> = {
        ...RESOURCE,
        view(raw) {
          if (raw['text'] === 'strange') throw new TypeError('no idea what this is');
          return RESOURCE.view(raw);
        },
      };
      start(
        {
          watch: inTurn(
            (answer) => answer.write(line('MODIFIED', object('a', 11, 'strange'))),
            (answer) => answer.write(line('MODIFIED', object('a', 12))),
          ),
          probe: (answer) => page(answer, [], 12),
        },
        picky,
      );
      await converged({ a: 12 });
    }),
  );
});

describe('it does not run hot', () => {
  const WINDOW_MS = 2_000;

  test.concurrent.each<[string, Parts, number]>([
    ['every list fails', { list: (answer) => refuse(answer, 500) }, 8],
    ['every watch fails', { watch: (answer) => refuse(answer, 500) }, 20],
    ['every watch ends at once, in good order', { watch: (answer) => answer.end() }, 18],
    ['every watch is expired', { watch: (answer) => refuse(answer, 410, expired()) }, 20],
    ['every watch tells one thing and breaks', { watch: (answer) => answer.end(bookmark(10)) }, 42],
    [
      'the question for the latest version fails',
      { watch: (answer) => answer.end(), probe: (answer) => refuse(answer, 500) },
      20,
    ],
    ['nothing listens any more', { list: (answer) => answer.breakConnection() }, 16],
  ])(
    'where %s',
    besideOthers(async (_what, parts, most) => {
      const { server, start } = await ground();
      start(parts);
      const until = performance.now() + WINDOW_MS;
      await waitUntil('the window to pass', DEADLINE_MS, () => performance.now() > until);
      expect(server.requests.filter(({ at }) => at < until).length).toBeLessThanOrEqual(most);
      await waitUntil('it to go on all the same', DEADLINE_MS, () => server.requests.length >= 3);
    }),
  );
});

describe('the signal ends it at once', () => {
  test.concurrent.each<[string, Parts, (of: Ground) => boolean]>([
    ['in a list without an answer', { list: () => undefined }, ({ lists }) => lists().length === 1],
    ['in a watch', {}, ({ watches }) => watches().length === 1],
    [
      'in a pause',
      { list: (answer) => refuse(answer, 429, {}, { 'retry-after': '30' }) },
      ({ lists }) => lists().length === 1,
    ],
  ])(
    '%s',
    besideOthers(async (_what, parts, begun) => {
      const own = await ground();
      const reflector = own.start(parts);
      await waitUntil('it to begin', DEADLINE_MS, () => begun(own));
      const began = performance.now();
      own.life.abort();
      await reflector.done;
      // Not the 10 s of a request, or the 30 s of the pause.
      expect(performance.now() - began).toBeLessThan(5_000);
    }),
  );
});
