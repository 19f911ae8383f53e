// The only way to the API server: pooled connections, a time limit on every request, errors with Kubernetes' reasons.
import { Agent, errors, type Dispatcher } from 'undici';
import { parseJson, readText } from './answer.ts';
import { ApiError, ApiUnreachableError, parseStatus } from './api-error.ts';
import { skewRange, type SkewRange } from './clock-skew.ts';
import type { Connection } from './credentials.ts';
import { withTimeLimit } from './time-limit.ts';
import { wholeAnswer, type WholeAnswer } from './whole-answer.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** For example /api/v1/namespaces/ada/secrets/access-token */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Written as JSON, unless it is bytes already. */
  readonly body?: unknown;
  /** Of the body; a PATCH names its kind here. Default application/json. */
  readonly contentType?: string;
  readonly accept?: string;
  /** Default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface KubernetesClient {
  /** @throws {ApiError} on a refusal. @throws {ApiUnreachableError} where there is no answer. */
  request<T>(request: ApiRequest): Promise<T>;
  /** An answer without an end, such as a watch: its chunks as they come. `timeoutMs` counts until the headers. */
  stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
  /** Told by every answer. */
  onSkew(listener: (range: SkewRange) => void): void;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Requests that wait for a connection or an answer; a server that takes none must not fill the memory. */
const MAX_WAITING = 1_000;

/** A connection that has died silently is dropped with the request that found that out, before that is given up. */
const DROP_AFTER = 0.9;

/** More than all queues together have in flight; whatever comes on top waits its turn. */
const REQUESTS_AT_ONCE = 64;
/** Shorter than a kube-apiserver (90 s) and most of what stands in front of one keep a connection that is idle. */
const IDLE_MS = 30_000;
/** Each on a connection of its own, so that it cannot starve the writes, and fails apart from the others. */
const STREAMS_AT_ONCE = 64;

export interface ClientOptions {
  /** Told of every request: its method, or WATCH, and the status of the answer, or `none`. */
  readonly onAnswer?: (verb: string, code: string) => void;
}

export function kubernetesClient(connection: Connection, { onAnswer }: ClientOptions = {}): KubernetesClient {
  const { origin, pathname } = new URL(connection.server);
  // HTTP/1.1: for a short request it costs a quarter less than HTTP/2 here, and less in the API server. undici's HTTP/2
  // can end the process where a server goes away just after a stream was given up.
  const pool = (connections: number) =>
    new Agent({
      allowH2: false,
      connections,
      keepAliveTimeout: IDLE_MS,
      connect: {
        ...connection.tls,
        // Else a variable, NODE_TLS_REJECT_UNAUTHORIZED, could turn it off.
        rejectUnauthorized: true,
        timeout: 5_000,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
      },
    });
  const requests = pool(REQUESTS_AT_ONCE);
  const streams = pool(STREAMS_AT_ONCE);
  const listeners: ((range: SkewRange) => void)[] = [];
  let waiting = 0;

  async function dispatched(request: ApiRequest): Promise<Dispatcher.DispatchOptions> {
    const {
      method,
      path,
      query,
      body,
      contentType = 'application/json',
      accept = 'application/json',
    } = request;
    const authorization = await connection.authorization();
    const payload = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
    return {
      origin,
      path: pathname.replace(/\/$/, '') + path + search(query),
      method,
      headersTimeout: limitOf(request) * DROP_AFTER,
      bodyTimeout: limitOf(request) * DROP_AFTER,
      headers: {
        accept,
        'user-agent': 'latchkey',
        ...(payload !== undefined && { 'content-type': contentType }),
        ...authorization,
      },
      ...(payload !== undefined && { body: payload }),
      // Else undici gives up the connection after every DELETE that names a UID: some servers trip over its body.
      reset: false,
    };
  }

  /** What is done with every request: it has its place among those that wait, and whoever counts or compares clocks is told. */
  async function answered<A extends Pick<WholeAnswer, 'statusCode' | 'headers'>>(
    { query, method }: ApiRequest,
    send: () => Promise<A>,
  ): Promise<A> {
    if (waiting >= MAX_WAITING) throw new Error('too many requests are waiting for the API server');
    waiting += 1;
    const sent = new Date();
    let code = 'none';
    try {
      const answer = await send();
      code = String(answer.statusCode);
      const { date } = answer.headers;
      const range = skewRange(typeof date === 'string' ? date : undefined, sent, new Date());
      if (range) for (const listener of listeners) listener(range);
      return answer;
    } finally {
      waiting -= 1;
      onAnswer?.(query?.['watch'] === true ? 'WATCH' : method, code);
    }
  }

  function refuse(
    request: ApiRequest,
    { statusCode, headers }: Pick<WholeAnswer, 'statusCode' | 'headers'>,
    text: string,
  ): never {
    if (statusCode === 401) connection.forget();
    const retryAfter = Number(headers['retry-after']);
    throw new ApiError(
      `${request.method} ${request.path}`,
      statusCode,
      parseStatus(text),
      Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1_000 : undefined,
    );
  }

  return {
    async request<T>(request: ApiRequest): Promise<T> {
      try {
        const limits = {
          limitMs: limitOf(request),
          late: () => new Error(noAnswer(request)),
          signal: request.signal,
        };
        const answer = await answered(request, () =>
          wholeAnswer(requests, () => dispatched(request), limits),
        );
        if (answer.statusCode >= 300) refuse(request, answer, answer.text);
        // The API server's own, under a schema that it has checked.
        return parseJson(answer.text) as T;
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
          const options = await dispatched(request);
          const answer = await answered(request, () =>
            streams.request({ ...options, signal, bodyTimeout: 0 }),
          );
          if (answer.statusCode >= 300) refuse(request, answer, await readText(answer.body));
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
      await Promise.all([requests.destroy(), streams.destroy()]);
    },
  };
}

function search(query: ApiRequest['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

const limitOf = ({ timeoutMs = DEFAULT_TIMEOUT_MS }: ApiRequest) => timeoutMs;

const noAnswer = (request: ApiRequest) => `no answer within ${limitOf(request) / 1_000} s`;

const timeLimit = (request: ApiRequest) => ({
  limitMs: limitOf(request),
  outer: request.signal,
  reason: () => new Error(noAnswer(request)),
});

function asApiError(request: ApiRequest, cause: unknown): ApiError | ApiUnreachableError {
  if (cause instanceof ApiError) return cause;
  const isLate = cause instanceof errors.HeadersTimeoutError || cause instanceof errors.BodyTimeoutError;
  const why = isLate ? noAnswer(request) : cause instanceof Error ? cause.message : String(cause);
  return new ApiUnreachableError('ApiUnreachable', `${request.method} ${request.path}: ${why}`, { cause });
}
