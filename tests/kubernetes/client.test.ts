// The client against an API server, and things in front of one, that misbehave: every request ends, and leaves nothing open.
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { ApiError, ApiUnreachableError } from '../../src/kubernetes/api-error.ts';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import type { SkewRange } from '../../src/kubernetes/clock-skew.ts';
import {
  type Script,
  type ScriptedApiServer,
  startScriptedApiServer,
} from '../support/scripted-api-server.ts';

const SECRET = 'hunter2-correct-horse';
const DEADLINE_MS = 60_000;
const GET = { method: 'GET', path: '/api/v1/namespaces/ada' } as const;

// A proxy in front of an API server may speak no HTTP/2.
describe.each(['either', 'http/1.1'] as const)('where a server speaks %s', (protocol) => {
  let server: ScriptedApiServer;
  let client: KubernetesClient;

  beforeEach(async () => {
    server = await startScriptedApiServer((_request, answer) => answer.end('{}'), protocol);
    client = kubernetesClient(server.connection);
  });
  afterEach(async () => {
    await client.close();
    await server.close();
  });

  /** How a request ends that must fail. */
  async function failure(script: Script, request: object = {}): Promise<ApiError | ApiUnreachableError> {
    server.script = script;
    const error: unknown = await client.request({ ...GET, ...request }).catch((caught: unknown) => caught);
    if (error instanceof ApiError || error instanceof ApiUnreachableError) return error;
    throw new Error(`the request ended with ${String(error)}`);
  }

  test('a request arrives as it was made, and its answer is read', async () => {
    let body = '';
    server.script = async (request, answer) => {
      for await (const chunk of request.body) body += String(chunk);
      answer.end('{"metadata":{"name":"ada"}}');
    };
    const answer = await client.request({
      method: 'PATCH',
      path: '/api/v1/namespaces/ada',
      query: { dryRun: 'All', force: true, limit: 1, continue: undefined, fieldSelector: 'a=b&c' },
      contentType: 'application/merge-patch+json',
      accept: 'application/json;as=Table',
      body: { spec: { displayName: 'Ада' } },
    });
    expect(answer).toEqual({ metadata: { name: 'ada' } });
    expect(JSON.parse(body)).toEqual({ spec: { displayName: 'Ада' } });
    const [request] = server.requests;
    expect(request).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/namespaces/ada',
      headers: {
        'content-type': 'application/merge-patch+json',
        accept: 'application/json;as=Table',
        'user-agent': 'latchkey',
      },
    });
    expect(Object.fromEntries(request?.query ?? [])).toEqual({
      dryRun: 'All',
      force: 'true',
      limit: '1',
      fieldSelector: 'a=b&c',
    });
  });

  test('every answer is told with its verb and status, and so is that there was none', async () => {
    const told: string[] = [];
    const counting = kubernetesClient(server.connection, {
      onAnswer: (verb, code) => void told.push(`${verb} ${code}`),
    });
    await counting.request(GET);
    server.script = (_request, answer) => {
      answer.head(409);
      answer.end('{}');
    };
    await expect(counting.request({ ...GET, method: 'PUT', body: {} })).rejects.toThrow();
    server.script = (_request, answer) => answer.reset();
    await expect(counting.request({ ...GET, method: 'DELETE' })).rejects.toThrow();
    server.script = (_request, answer) => answer.end();
    for await (const _ of await counting.stream({ ...GET, query: { watch: true } })) continue;
    await counting.close();
    expect(told).toEqual(['GET 200', 'PUT 409', 'DELETE none', 'WATCH 200']);
  });

  test('a server address with a path comes before the path of every request', async () => {
    const behindProxy = kubernetesClient({
      ...server.connection,
      server: `${server.connection.server}/k8s/clusters/c-1/`,
    });
    await behindProxy.request(GET);
    await behindProxy.close();
    expect(server.requests[0]?.path).toBe('/k8s/clusters/c-1/api/v1/namespaces/ada');
  });

  describe('a refusal', () => {
    test('carries what metav1.Status says', async () => {
      const error = await failure((_request, answer) => {
        answer.head(409);
        answer.end('{"kind":"Status","reason":"Conflict","message":"the object has been modified"}');
      });
      expect(error).toMatchObject({ code: 'ApiRefused', status: 409, reason: 'Conflict' });
      expect(error.message).toBe('GET /api/v1/namespaces/ada: 409 Conflict the object has been modified');
    });

    test.each([
      ['7', 7_000],
      ['0', undefined],
      ['-1', undefined],
      ['Wed, 21 Oct 2065 07:28:00 GMT', undefined],
    ])('with Retry-After: %s says when to come back', async (header, retryAfterMs) => {
      const error = await failure((_request, answer) => {
        answer.head(429, { 'retry-after': header });
        answer.end('{"reason":"TooManyRequests"}');
      });
      expect((error as ApiError).retryAfterMs).toBe(retryAfterMs);
    });

    test('by a proxy is told in the words of the proxy, as far as a person reads them', async () => {
      const error = await failure((_request, answer) => {
        answer.head(502, { 'content-type': 'text/html' });
        answer.end(`<html>502 Bad Gateway${' '.repeat(10_000)}</html>`);
      });
      expect(error).toMatchObject({ status: 502, reason: '' });
      expect(error.message).toMatch(/^GET \/api\/v1\/namespaces\/ada: 502 <html>502 Bad Gateway/);
      expect(error.message.length).toBeLessThan(600);
    });

    test('that is a redirect is not followed: another server would get our credentials', async () => {
      const error = await failure((_request, answer) => {
        answer.head(307, { location: '/elsewhere' });
        answer.end();
      });
      expect(error).toMatchObject({ code: 'ApiRefused', status: 307 });
      expect(server.requests).toHaveLength(1);
    });

    test('with 401 has the credentials read anew', async () => {
      let forgotten = 0;
      let token = 'old';
      const refused = kubernetesClient({
        ...server.connection,
        authorization: () => Promise.resolve({ Authorization: `Bearer ${token}` }),
        forget() {
          forgotten += 1;
          token = 'new';
        },
      });
      server.script = (request, answer) => {
        answer.head(request.headers['authorization'] === 'Bearer new' ? 200 : 401);
        answer.end('{}');
      };
      await expect(refused.request(GET)).rejects.toMatchObject({ status: 401 });
      await expect(refused.request(GET)).resolves.toEqual({});
      expect(forgotten).toBe(1);
      await refused.close();
    });
  });

  test('an answer that is no JSON is not quoted, as it may hold a token', async () => {
    const error = await failure((_request, answer) => answer.end(`{"data":{"AUTH_TOKEN":${SECRET}}}`));
    expect(error).toMatchObject({ code: 'ApiUnreachable' });
    expect(error.message).toContain('the answer is not JSON');
    expect(`${error.stack} ${String(error.cause)} ${JSON.stringify(error)}`).not.toContain(SECRET);
  });

  test('an answer that is cut off is an error, and the next request goes over another connection', async () => {
    const error = await failure((_request, answer) => {
      answer.write('{"half":');
      setImmediate(() => answer.breakConnection());
    });
    expect(error).toMatchObject({ code: 'ApiUnreachable' });
    server.script = (_request, answer) => answer.end('{}');
    await expect(client.request(GET)).resolves.toEqual({});
    expect(server.connections()).toBe(2);
  });

  test('an answer without an end is given up at 64 MiB', async () => {
    let sent = 0;
    const error = await failure(async (_request, answer) => {
      sent = await answer.flood(Buffer.alloc(1024 * 1024, 'a'));
    });
    expect(error.message).toContain('an answer of more than 67108864 bytes');
    await waitUntil('the answer to be given up', DEADLINE_MS, () => sent > 0 && server.open() === 0);
    // What is under way in sockets comes on top.
    expect(sent).toBeLessThan(100);
  });

  describe('the time limit', () => {
    test.each<[string, Script]>([
      ['nothing', () => undefined],
      ['headers alone', (_request, answer) => answer.head(200)],
      ['half an answer', (_request, answer) => answer.write('{"half":')],
      [
        'a byte now and then',
        (_request, answer) => {
          const drip = setInterval(() => answer.write(' '), 20);
          void answer.closed.then(() => clearInterval(drip));
        },
      ],
      [
        'half a refusal',
        (_request, answer) => {
          answer.head(500);
          answer.write('{');
        },
      ],
    ])('ends a request that gets %s, and its stream', async (_what, script) => {
      const began = performance.now();
      const error = await failure(script, { timeoutMs: 300 });
      const took = performance.now() - began;
      expect(error).toMatchObject({ code: 'ApiUnreachable', status: 0 });
      expect(error.message).toBe('GET /api/v1/namespaces/ada: no answer within 0.3 s');
      expect(took).toBeGreaterThan(200);
      // Not the default of 10 s; a busy machine takes its time.
      expect(took).toBeLessThan(5_000);
      await waitUntil('the stream to be given back', DEADLINE_MS, () => server.open() === 0);
      server.script = (_request, answer) => answer.end('{}');
      await expect(client.request(GET)).resolves.toEqual({});
    });
  });

  test('many requests on one long-lived signal leave no listener and no timer', async () => {
    const life = new AbortController();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await client.request({ ...GET, signal: life.signal });
    const before = timers();
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 50 }, () => client.request({ ...GET, signal: life.signal, timeoutMs: 60_000 })),
      );
    expect(getEventListeners(life.signal, 'abort')).toEqual([]);
    // Those of the connections come and go.
    expect(timers()).toBeLessThan(before + 20);
  });

  test('a signal ends a request at once, and one that has ended lets none begin', async () => {
    const life = new AbortController();
    server.script = () => life.abort();
    await expect(client.request({ ...GET, signal: life.signal })).rejects.toMatchObject({
      code: 'ApiUnreachable',
    });
    await waitUntil('the stream to be given back', DEADLINE_MS, () => server.open() === 0);
    await expect(client.request({ ...GET, signal: life.signal })).rejects.toMatchObject({
      code: 'ApiUnreachable',
    });
    expect(server.requests).toHaveLength(1);
  });

  describe('a stream', () => {
    const watch = { method: 'GET', path: '/api/v1/namespaces', query: { watch: true } } as const;

    test('gives its chunks as they come, and has no time limit once it has begun', async () => {
      let send: (chunk: string) => void = () => undefined;
      let end: () => void = () => undefined;
      server.script = (_request, answer) => {
        send = (chunk) => answer.write(chunk);
        end = () => answer.end();
        answer.write('first');
      };
      const got: string[] = [];
      for await (const chunk of await client.stream({ ...watch, timeoutMs: 3_000 })) {
        got.push(Buffer.from(chunk).toString());
        // Longer than the limit, which counts until the headers.
        if (got.length === 1) setTimeout(() => send('second'), 3_500);
        else end();
      }
      expect(got).toEqual(['first', 'second']);
    });

    test('that does not begin in time is given up', async () => {
      server.script = () => undefined;
      await expect(client.stream({ ...watch, timeoutMs: 200 })).rejects.toMatchObject({
        code: 'ApiUnreachable',
      });
      await waitUntil('the stream to be given back', DEADLINE_MS, () => server.open() === 0);
    });

    test('that is refused is an error with its reason', async () => {
      server.script = (_request, answer) => {
        answer.head(410);
        answer.end('{"reason":"Expired","message":"too old resource version"}');
      };
      await expect(client.stream(watch)).rejects.toMatchObject({ status: 410, reason: 'Expired' });
    });

    test('is given back when its reader stops', async () => {
      server.script = (_request, answer) => answer.write('first');
      for await (const _chunk of await client.stream(watch)) break;
      await waitUntil('the stream to be given back', DEADLINE_MS, () => server.open() === 0);
    });

    test('ends with its signal, in the middle of a read', async () => {
      const life = new AbortController();
      server.script = (_request, answer) => answer.write('first');
      const read = async () => {
        for await (const _chunk of await client.stream({ ...watch, signal: life.signal })) life.abort();
      };
      await expect(read()).rejects.toThrow('aborted');
      await waitUntil('the stream to be given back', DEADLINE_MS, () => server.open() === 0);
    });

    test('ends with the connection', async () => {
      server.script = (_request, answer) => {
        answer.write('first');
        setTimeout(() => answer.breakConnection(), 50);
      };
      const read = async () => {
        for await (const chunk of await client.stream(watch))
          expect(Buffer.from(chunk).toString()).toBe('first');
      };
      await expect(read()).rejects.toThrow();
    });

    test('has a connection of its own, so that it fails apart from all others', async () => {
      server.script = (_request, answer) => answer.write('first');
      await client.stream(watch);
      await client.stream(watch);
      server.script = (_request, answer) => answer.end('{}');
      await client.request(GET);
      expect(server.connections()).toBe(3);
    });
  });

  test('close() ends what is under way, at once', async () => {
    server.script = () => undefined;
    const requests = Array.from({ length: 20 }, () => client.request(GET).catch((error: unknown) => error));
    const stream = client.stream(GET).catch((error: unknown) => error);
    await waitUntil('the requests to arrive', DEADLINE_MS, () => server.requests.length > 4);
    const began = performance.now();
    await client.close();
    for (const result of await Promise.all([...requests, stream]))
      expect(result).toBeInstanceOf(ApiUnreachableError);
    // Not the 10 s that a request may take.
    expect(performance.now() - began).toBeLessThan(5_000);
    await expect(client.request(GET)).rejects.toBeInstanceOf(ApiUnreachableError);
  });

  test('every answer that has a Date tells the skew of the clocks', async () => {
    const ranges: SkewRange[] = [];
    client.onSkew((range) => ranges.push(range));
    await client.request(GET);
    expect(ranges).toHaveLength(1);
    expect(Math.abs(ranges[0]?.toMs ?? Infinity)).toBeLessThan(30_000);
    server.script = (_request, answer) => {
      answer.head(404, { date: new Date(Date.now() - 3_600_000).toUTCString() });
      answer.end('{}');
    };
    await expect(client.request(GET)).rejects.toMatchObject({ status: 404 });
    expect(ranges[1]?.fromMs).toBeGreaterThan(3_590_000);
  });
});
