// The only way to the API server: pooled HTTP/2, a time limit on every request, errors with Kubernetes' reasons.
import { Agent, type Dispatcher } from 'undici';
import { ApiError, ApiUnreachableError, type StatusBody } from './api-error.ts';
import { skewRange, type SkewRange } from './clock-skew.ts';
import type { Connection } from './credentials.ts';

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
/** A page of 500 large objects fits; an answer without end does not. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function kubernetesClient(connection: Connection): KubernetesClient {
  const agent = new Agent({
    allowH2: true,
    connections: 4,
    pipelining: 100,
    connect: { ...connection.tls, timeout: 5_000, keepAlive: true, keepAliveInitialDelay: 30_000 },
  });
  // A watch holds its stream open; on connections of its own it cannot starve the writes.
  const streams = new Agent({
    allowH2: true,
    connections: 2,
    pipelining: 100,
    bodyTimeout: 0,
    connect: { ...connection.tls, timeout: 5_000, keepAlive: true, keepAliveInitialDelay: 30_000 },
  });
  const listeners: ((range: SkewRange) => void)[] = [];

  async function send(
    dispatcher: Agent,
    request: ApiRequest,
    signal: AbortSignal,
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
      origin: connection.server,
      path: path + search(query),
      method,
      signal,
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
      const limit = AbortSignal.timeout(request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      const signal = request.signal ? AbortSignal.any([limit, request.signal]) : limit;
      try {
        const answer = await send(agent, request, signal);
        if (answer.statusCode >= 300) await refuse(request, answer);
        // The API server's own JSON, under a schema that it has checked.
        return JSON.parse(await readText(answer.body)) as T;
      } catch (cause) {
        throw asApiError(request, cause);
      }
    },
    async stream(request) {
      const headers = new AbortController();
      const timer = setTimeout(() => headers.abort(), request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      const signal = request.signal ? AbortSignal.any([headers.signal, request.signal]) : headers.signal;
      try {
        const answer = await send(streams, request, signal);
        if (answer.statusCode >= 300) await refuse(request, answer);
        return answer.body;
      } catch (cause) {
        throw asApiError(request, cause);
      } finally {
        clearTimeout(timer);
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

function parseStatus(text: string): StatusBody {
  try {
    return JSON.parse(text) as StatusBody;
  } catch {
    // A proxy between us and the API server answers in its own words.
    return { message: text };
  }
}

function asApiError(request: ApiRequest, cause: unknown): ApiError | ApiUnreachableError {
  if (cause instanceof ApiError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ApiUnreachableError('ApiUnreachable', `${request.method} ${request.path}: ${why}`, { cause });
}
