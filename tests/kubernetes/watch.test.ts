// One watch request, when the API server does what it should not.
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { Store } from '../../src/kubernetes/store.ts';
import { watch, WatchError, type WatchOptions } from '../../src/kubernetes/watch.ts';
import {
  type Script,
  type ScriptedApiServer,
  startScriptedApiServer,
} from '../support/scripted-api-server.ts';
import {
  bookmark,
  expired,
  line,
  object,
  refuse,
  RESOURCE,
  type Seen,
  versionsOf,
} from './scripted-resource.ts';

const DEADLINE_MS = 60_000;
/** In half of it a watch has to begin, also on a busy machine. */
const STALL_MS = 4_000;

let server: ScriptedApiServer;
let client: KubernetesClient;
let store: Store<Seen>;
let life: AbortController;

beforeEach(async () => {
  server = await startScriptedApiServer(() => undefined);
  client = kubernetesClient(server.connection);
  store = new Store();
  store.replace([RESOURCE.view(object('a', 5))], '10');
  life = new AbortController();
});
afterEach(async () => {
  await client.close();
  await server.close();
});

async function follow(script: Script, options: Partial<WatchOptions> = {}): Promise<void> {
  server.script = script;
  await watch(client, RESOURCE, store, {
    timeoutSeconds: 60,
    stallMs: 30_000,
    signal: life.signal,
    ...options,
  });
}

/** How a watch ends that must break. */
async function breakage(script: Script, options: Partial<WatchOptions> = {}): Promise<unknown> {
  return follow(script, options).then(
    () => 'in good order',
    (error: unknown) => error,
  );
}

afterEach(async () => {
  await waitUntil('every stream to be given back', DEADLINE_MS, () => server.open() === 0);
  expect(getEventListeners(life.signal, 'abort')).toEqual([]);
});

test('it asks for everything from where the store stands, with bookmarks, for as long as it was told', async () => {
  await follow((_request, answer) => answer.end());
  const [{ path, query } = { path: '', query: [] }] = server.requests;
  expect(path).toBe(RESOURCE.path);
  expect(Object.fromEntries(query)).toEqual({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '10',
    timeoutSeconds: '60',
  });
});

test('metadata alone is asked for where nothing else is wanted', async () => {
  server.script = (_request, answer) => answer.end();
  const options = { timeoutSeconds: 60, stallMs: 30_000, signal: life.signal };
  await watch(client, { ...RESOURCE, metadataOnly: true, fieldSelector: 'metadata.name=x' }, store, options);
  expect(server.requests[0]?.headers['accept']).toBe(
    'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  );
  expect(server.requests[0]?.query.get('fieldSelector')).toBe('metadata.name=x');
});

test('events go into the store until the server ends the watch', async () => {
  await follow((_request, answer) => {
    answer.write(line('ADDED', object('b', 11)) + line('MODIFIED', object('a', 12)));
    answer.write(line('DELETED', object('b', 13)));
    answer.end(bookmark(20));
  });
  expect(versionsOf(store)).toEqual({ a: 12 });
  expect(store.resourceVersion).toBe('20');
});

test('what the answer to a write has told already is not looked at again, and takes the store along', async () => {
  const written = RESOURCE.view(object('a', 12));
  store.merge(written);
  const view = jest.fn(RESOURCE.view);
  server.script = (_request, answer) => {
    answer.write(line('MODIFIED', object('a', 12)));
    answer.end(line('MODIFIED', object('b', 13)));
  };
  const options = { timeoutSeconds: 60, stallMs: 30_000, signal: life.signal };
  await watch(client, { ...RESOURCE, view }, store, options);
  expect(view.mock.calls).toEqual([[object('b', 13)]]);
  expect(store.get('a')).toBe(written);
  expect(store.resourceVersion).toBe('13');
});

test('a line in many chunks, cut inside its characters, is one line', async () => {
  await follow(async (_request, answer) => {
    for (const byte of Buffer.from(line('ADDED', object('b', 11, 'Ада €𝄞')))) {
      answer.write(Buffer.of(byte));
      // Each in a frame of its own.
      await new Promise((resolve) => setImmediate(resolve));
    }
    answer.end();
  });
  expect(store.get('b')?.text).toBe('Ада €𝄞');
});

test('onProgress ends the watch when it says so', async () => {
  await follow((_request, answer) => answer.write(bookmark(11) + bookmark(12) + bookmark(13)), {
    onProgress: () => store.hasReached('12'),
  });
  expect(store.resourceVersion).toBe('12');
});

describe('it breaks, and what came before is in the store,', () => {
  const FIRST = line('ADDED', object('b', 11));
  afterEach(() => expect(versionsOf(store)).toEqual({ a: 5, b: 11 }));

  test.each<[string, string]>([
    ['at a line that is no JSON', '{"type":"ADDED","object":\n'],
    ['at a line of text', 'Internal Server Error\n'],
    ['at a line that is null', 'null\n'],
    ['at an event without an object', '{"type":"MODIFIED"}\n'],
    ['at an object without metadata', '{"type":"MODIFIED","object":{}}\n'],
    ['at an error without a reason', line('ERROR', {})],
    ['at an error without an object', '{"type":"ERROR"}\n'],
  ])('%s', async (_what, bad) => {
    const error = await breakage((_request, answer) =>
      answer.write(FIRST + bad + line('ADDED', object('c', 12))),
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toMatchObject({ code: 'WatchExpired' });
  });

  test('with a code of its own at an error 410, which alone calls for a list', async () => {
    await expect(
      breakage((_request, answer) => answer.write(FIRST + line('ERROR', expired()))),
    ).resolves.toMatchObject({ code: 'WatchExpired' });
  });

  test('with the reason at another error', async () => {
    const failure = { code: 500, reason: 'InternalError', message: 'etcd is gone' };
    await expect(
      breakage((_request, answer) => answer.write(FIRST + line('ERROR', failure))),
    ).resolves.toMatchObject({
      code: 'WatchBroken',
      message: 'the API server ended the watch: InternalError',
    });
  });

  test('when the connection is cut in the middle of a line', async () => {
    const error = await breakage((_request, answer) => {
      answer.write(`${FIRST}{"type":"MODIFIED","obj`);
      setTimeout(() => answer.breakConnection(), 50);
    });
    expect(error).toBeInstanceOf(Error);
  });

  test('when nothing arrives for longer than it may', async () => {
    const began = performance.now();
    const error = await breakage((_request, answer) => answer.write(FIRST), { stallMs: STALL_MS });
    expect(error).toBeInstanceOf(WatchError);
    expect(error).toMatchObject({ code: 'WatchBroken', message: 'the watch stalled' });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('no line of it is quoted', async () => {
    const error = await breakage((_request, answer) => answer.write(`${FIRST}{"password": hunter2}\n`));
    expect(`${String((error as Error).stack)} ${String((error as Error).cause)}`).not.toContain('hunter2');
  });
});

test('a kind of event that does not exist changes nothing', async () => {
  await follow((_request, answer) => answer.end(line('FORGOTTEN', object('a', 12))));
  expect(versionsOf(store)).toEqual({ a: 5 });
});

test('half a line at the end in good order is no line', async () => {
  await follow((_request, answer) => answer.end('{"type":"MODIFIED","object"'));
  expect(versionsOf(store)).toEqual({ a: 5 });
});

test('it does not stall while bookmarks come', async () => {
  let version = 10;
  await follow(
    (_request, answer) => {
      const beat = setInterval(() => {
        version += 1;
        answer.write(bookmark(version));
        if (version === 30) answer.end();
      }, 300);
      void answer.closed.then(() => clearInterval(beat));
    },
    { stallMs: STALL_MS },
  );
  expect(store.resourceVersion).toBe('30');
});

test('a watch that does not begin is given up too', async () => {
  const began = performance.now();
  await expect(breakage(() => undefined, { stallMs: STALL_MS })).resolves.toMatchObject({
    code: 'ApiUnreachable',
  });
  // Not the 10 s within which a watch has to begin.
  expect(performance.now() - began).toBeLessThan(9_000);
});

test('a refusal is passed on', async () => {
  await expect(breakage((_request, answer) => refuse(answer, 410, expired()))).resolves.toMatchObject({
    status: 410,
    reason: 'Expired',
  });
});

test('a line without an end is given up at 16 MiB', async () => {
  let sent = 0;
  const error = await breakage(
    async (_request, answer) => {
      sent = await answer.flood(Buffer.alloc(1024 * 1024, 'a'));
    },
    { stallMs: 30_000 },
  );
  expect(error).toMatchObject({ message: 'a line of more than 16777216 bytes' });
  await waitUntil('the watch to be given up', DEADLINE_MS, () => sent > 0);
  expect(sent).toBeLessThan(40);
});

test('the signal ends it, whether it has begun or not', async () => {
  const begun = breakage((_request, answer) => {
    answer.write(bookmark(11));
    setTimeout(() => life.abort(new Error('stopped')), 50);
  });
  await expect(begun).resolves.toBeInstanceOf(Error);
  life = new AbortController();
  const waiting = breakage(() => {
    setTimeout(() => life.abort(new Error('stopped')), 50);
  });
  await expect(waiting).resolves.toBeInstanceOf(Error);
});
