// The only way to the API server: pooled connections, a time limit on every request, errors with Kubernetes' reasons.
import { Agent } from 'undici';
import { parseJson, readText } from './answer.ts';
import { ApiError, ApiUnreachableError, parseStatus } from './api-error.ts';
import { skewRange, type SkewRange } from './clock-skew.ts';
import { secureContext, type Connection } from './credentials.ts';
import { Connections } from './http/connections.ts';
import { fieldLines } from './http/request-bytes.ts';
import { withTimeLimit } from './time-limit.ts';

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

export type SkewListener = (range: SkewRange, received: Date) => void;

export interface KubernetesClient {
  /** @throws {ApiError} on a refusal. @throws {ApiUnreachableError} where there is no answer. */
  request<T>(request: ApiRequest): Promise<T>;
  /** An answer without an end, such as a watch: its chunks as they come. `timeoutMs` counts until the headers. */
  stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
  /** Told by every answer, with the time here at which it had come: the clock may be set at any moment after. */
  onSkew(listener: SkewListener): void;
  close(): Promise<void>;
}

interface AnswerHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The headers that say who we are. */
type Identity = Awaited<ReturnType<Connection['authorization']>>;

const JSON_TYPE = 'application/json';
const DEFAULT_TIMEOUT_MS = 10_000;
/** Requests that wait for a connection or an answer; a server that takes none must not fill the memory. */
const MAX_WAITING = 1_000;

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

/** @throws {CredentialsError} where the certificate or key of the connection is none */
export function kubernetesClient(connection: Connection, { onAnswer }: ClientOptions = {}): KubernetesClient {
  const server = new URL(connection.server);
  const prefix = server.pathname.replace(/\/$/, '');
  const { servername } = connection.tls;
  const context = secureContext(connection.tls);
  const requests = new Connections({
    server,
    secureContext: context,
    servername,
    most: REQUESTS_AT_ONCE,
    idleMs: IDLE_MS,
  });
  // undici's HTTP/2 can end the process where a server goes away just after a stream was given up.
  const streams = new Agent({
    allowH2: false,
    connections: STREAMS_AT_ONCE,
    keepAliveTimeout: IDLE_MS,
    connect: {
      secureContext: context,
      ...(servername !== undefined && { servername }),
      // Else a variable, NODE_TLS_REJECT_UNAUTHORIZED, could turn it off.
      rejectUnauthorized: true,
      timeout: 5_000,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
    },
  });
  const listeners: SkewListener[] = [];
  let waiting = 0;

  const target = ({ path, query }: ApiRequest) => prefix + path + search(query);

  /** Of the requests so far, by their kind: a token of 1 kB need not be looked through for each. */
  const known = new Map<string, string>();
  let knownOf: Identity | undefined;
  function fields(request: ApiRequest, identity: Identity): string {
    if (identity !== knownOf) known.clear();
    knownOf = identity;
    const kind = `${request.accept} ${request.body === undefined ? '' : request.contentType}`;
    const lines = known.get(kind) ?? fieldLines(headersOf(request, identity));
    known.set(kind, lines);
    return lines;
  }

  /** What is done with every request: it has its place among those that wait, and whoever counts or compares clocks is told. */
  async function answered<A extends AnswerHead>(
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
      const received = new Date();
      const range = skewRange(typeof date === 'string' ? date : undefined, sent, received);
      if (range) for (const listener of listeners) listener(range, received);
      return answer;
    } finally {
      waiting -= 1;
      onAnswer?.(query?.['watch'] === true ? 'WATCH' : method, code);
    }
  }

  function refuse(request: ApiRequest, { statusCode, headers }: AnswerHead, text: string): never {
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
        const prepare = async () => {
          const identity = await connection.authorization();
          return {
            method: request.method,
            path: target(request),
            fields: fields(request, identity),
            body: bodyOf(request),
          };
        };
        const answer = await answered(request, () => requests.ask(prepare, limits));
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
          const identity = await connection.authorization();
          const answer = await answered(request, () =>
            streams.request({
              origin: server.origin,
              method: request.method,
              path: target(request),
              headers: headersOf(request, identity),
              signal,
              bodyTimeout: 0,
            }),
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
      requests.close();
      await streams.destroy();
    },
  };
}

function headersOf({ body, contentType = JSON_TYPE, accept = JSON_TYPE }: ApiRequest, identity: Identity) {
  return {
    accept,
    'user-agent': 'latchkey',
    ...(body !== undefined && { 'content-type': contentType }),
    ...identity,
  };
}

function bodyOf({ body }: ApiRequest): string | Uint8Array | undefined {
  return body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
}

function search(query: ApiRequest['query']): string {
  if (query === undefined) return '';
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
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
  return new ApiUnreachableError('ApiUnreachable', `${request.method} ${request.path}: ${reasonOf(cause)}`, {
    cause,
  });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Where a name has several addresses, Node's error is one of each, and says nothing itself.
  const each = cause instanceof AggregateError ? cause.errors.map(reasonOf) : [];
  return cause.message || each.join('; ') || cause.name;
}
