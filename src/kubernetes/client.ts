// The only way to the API server: pooled HTTP/2, a time limit on every request, errors with Kubernetes' reasons.
import { Agent, type Dispatcher } from 'undici';
import { ApiError, ApiUnreachableError, parseStatus } from './api-error.ts';
import { skewRange, type SkewRange } from './clock-skew.ts';
import type { Connection } from './credentials.ts';
import { withTimeLimit } from './time-limit.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** For example /api/v1/namespaces/ada/secrets/access-token */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Of the body; a PATCH names its kind here. Default application/json. */
  readonly contentType?: string;
  readonly accept?: string;
  /** Default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface StreamRequest extends ApiRequest {
  /** For a stream of some seconds: it goes over the connections of the requests, so that it fails apart from the others. */
  readonly brief?: boolean;
}

export interface KubernetesClient {
  /** @throws {ApiError} on a refusal. @throws {ApiUnreachableError} where there is no answer. */
  request<T>(request: ApiRequest): Promise<T>;
  /** An answer without an end, such as a watch: its chunks as they come. `timeoutMs` counts until the headers. */
  stream(request: StreamRequest): Promise<AsyncIterable<Uint8Array>>;
  /** Told by every answer. */
  onSkew(listener: (range: SkewRange) => void): void;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** A page of 500 large objects fits; an answer without end does not. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * A connection that has died silently takes every request down with it until the kernel gives up on it, which takes a
 * quarter of an hour. undici asks the server for a sign of life where a request has had no answer for so long, and drops
 * the connection where none comes. It has to do so before the request is given up, because it does not where it is.
 */
const PING_AFTER = 0.9;

export function kubernetesClient(connection: Connection): KubernetesClient {
  const { origin, pathname } = new URL(connection.server);
  const pool = (connections: number) =>
    new Agent({
      allowH2: true,
      connections,
      pipelining: 100,
      connect: {
        ...connection.tls,
        // Else a variable, NODE_TLS_REJECT_UNAUTHORIZED, could turn it off.
        rejectUnauthorized: true,
        timeout: 5_000,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
      },
    });
  const agent = pool(4);
  // A watch holds its stream open; on connections of its own it cannot starve the writes.
  const streams = pool(2);
  const listeners: ((range: SkewRange) => void)[] = [];

  async function send(
    dispatcher: Agent,
    request: ApiRequest,
    { signal, bodyTimeout }: { signal: AbortSignal; bodyTimeout: number },
  ): Promise<Dispatcher.ResponseData> {
    const {
      method,
      path,
      query,
      body,
      contentType = 'application/json',
      accept = 'application/json',
    } = request;
    const sent = new Date();
    const answer = await dispatcher.request({
      origin,
      path: pathname.replace(/\/$/, '') + path + search(query),
      method,
      signal,
      headersTimeout: limitOf(request) * PING_AFTER,
      bodyTimeout,
      headers: {
        accept,
        'user-agent': 'latchkey',
        ...(body !== undefined && { 'content-type': contentType }),
        ...(await connection.authorization()),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const date = answer.headers['date'];
    const range = skewRange(typeof date === 'string' ? date : undefined, sent, new Date());
    if (range) for (const listener of listeners) listener(range);
    return answer;
  }

  async function refuse(request: ApiRequest, answer: Dispatcher.ResponseData): Promise<never> {
    if (answer.statusCode === 401) connection.forget();
    const text = await readText(answer.body);
    const retryAfter = Number(answer.headers['retry-after']);
    throw new ApiError(
      `${request.method} ${request.path}`,
      answer.statusCode,
      parseStatus(text),
      Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1_000 : undefined,
    );
  }

  return {
    async request<T>(request: ApiRequest): Promise<T> {
      try {
        return await withTimeLimit(timeLimit(request), async (signal) => {
          const answer = await send(agent, request, { signal, bodyTimeout: limitOf(request) * PING_AFTER });
          if (answer.statusCode >= 300) await refuse(request, answer);
          return parse(await readText(answer.body)) as T;
        });
      } catch (cause) {
        throw asApiError(request, cause);
      }
    },
    async stream(request) {
      const started = new AbortController();
      const signal = AbortSignal.any([started.signal, ...(request.signal ? [request.signal] : [])]);
      try {
        return await withTimeLimit(timeLimit(request), async (limit) => {
          const giveUp = () => started.abort(limit.reason);
          limit.addEventListener('abort', giveUp, { once: true });
          const answer = await send(request.brief ? agent : streams, request, { signal, bodyTimeout: 0 });
          if (answer.statusCode >= 300) await refuse(request, answer);
          return answer.body;
        });
      } catch (cause) {
        throw asApiError(request, cause);
      }
    },
    onSkew(listener) {
      listeners.push(listener);
    },
    async close() {
      await Promise.all([agent.destroy(), streams.destroy()]);
    },
  };
}

function search(query: ApiRequest['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new RangeError(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The API server's own JSON, under a schema that it has checked. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own error would quote the answer, which may hold a token.
    throw new TypeError('the answer is not JSON: is that address the API server?');
  }
}

const limitOf = ({ timeoutMs = DEFAULT_TIMEOUT_MS }: ApiRequest) => timeoutMs;

const timeLimit = (request: ApiRequest) => ({
  limitMs: limitOf(request),
  outer: request.signal,
  reason: () => new Error(`no answer within ${limitOf(request) / 1_000} s`),
});

function asApiError(request: ApiRequest, cause: unknown): ApiError | ApiUnreachableError {
  if (cause instanceof ApiError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ApiUnreachableError('ApiUnreachable', `${request.method} ${request.path}: ${why}`, { cause });
}
