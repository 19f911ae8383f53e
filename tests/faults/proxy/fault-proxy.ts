// A proxy in front of the real API server, for faults that the real one cannot be made to show on command: refusals, half a line, late or lost answers.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, type Dispatcher } from 'undici';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import {
  type Answer,
  type ScriptedRequest,
  startScriptedApiServer,
} from '../../support/scripted-api-server.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import {
  EXPIRED_EVENT,
  type FaultName,
  type LineFault,
  nameOf,
  proxied,
  type ProxiedRequest,
  type RequestFault,
  statusBody,
} from './faults.ts';
import { passLines } from './watch-line.ts';

export interface FaultProxy {
  /** What a client takes for the API server, and the CA of that. */
  readonly url: string;
  readonly caFile: string;
  /** Asked for every request before the API server is. */
  onRequest: (request: ProxiedRequest) => RequestFault | undefined;
  /** Asked for every line of a watch. */
  onLine: (request: ProxiedRequest) => LineFault | undefined;
  /** How much later than it came every line of a resource's watches is passed on; by the name of the resource. */
  readonly lagMs: Map<string, number>;
  /** The watches of the resource that are open now pass nothing more. @returns how many those are */
  stall(resource: string): number;
  /** What has stalled flows again. */
  flow(): void;
  /** Nothing passes, in either direction, and nobody is told: as a network that has broken. */
  cut(): void;
  mend(): void;
  /** What the API server has let pass of what changes something, but Leases, and Events, which tell late of what was done. */
  readonly written: readonly string[];
  /** How often each fault was met. */
  readonly met: ReadonlyMap<FaultName, number>;
  close(): Promise<void>;
}

/** Any replica may write these, whether it leads or not. */
const UNGUARDED = new Set(['leases', 'events']);

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'content-length']);

/** Passes on to that API server, with what the client itself says of who it is. */
export async function startFaultProxy(server: {
  readonly url: string;
  readonly caFile: string;
}): Promise<FaultProxy> {
  const upstream = new Agent({
    allowH2: true,
    connections: 8,
    connect: { ca: readFileSync(server.caFile) },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const met = new Map<FaultName, number>();
  const written: string[] = [];
  const count = (name: FaultName) => met.set(name, (met.get(name) ?? 0) + 1);
  const openWatches = new Map<AbortController, ProxiedRequest>();
  const stalled = new Map<AbortController, PromiseWithResolvers<void>>();

  async function forward(
    { method, headers, path, query, body }: ScriptedRequest,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk as Uint8Array);
    const search = query.toString();
    return upstream.request({
      origin: server.url,
      path: search === '' ? path : `${path}?${search}`,
      method,
      headers: endToEnd(headers),
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      signal,
    });
  }

  async function serveWatch(
    request: ProxiedRequest,
    answer: Answer,
    upstreamAnswer: Dispatcher.ResponseData,
    life: AbortController,
  ): Promise<void> {
    openWatches.set(life, request);
    try {
      await passLines(upstreamAnswer.body, {
        lagMs: () => proxy.lagMs.get(request.resource) ?? 0,
        untilFlowing: () => Promise.resolve(stalled.get(life)?.promise),
        signal: life.signal,
        pass(line) {
          if (life.signal.aborted) return false;
          const fault = proxy.onLine(request);
          if (!fault) {
            answer.write(line);
            return true;
          }
          count(nameOf(fault));
          if (fault.do === 'Expire') answer.end(EXPIRED_EVENT);
          else {
            answer.write(line.slice(0, line.length / 2));
            answer.end();
          }
          life.abort();
          return false;
        },
      });
      answer.end();
    } finally {
      openWatches.delete(life);
    }
  }

  async function serve(scripted: ScriptedRequest, answer: Answer): Promise<void> {
    const request = proxied(scripted.method, scripted.path, scripted.query);
    const fault = proxy.onRequest(request);
    if (fault) count(nameOf(fault));
    if (fault?.do === 'BreakConnection') return answer.breakConnection();
    if (fault?.do === 'Refuse') {
      const { status, retryAfterSeconds } = fault;
      answer.head(
        status,
        retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
      );
      return answer.end(statusBody(status));
    }
    const life = new AbortController();
    const onClosed = () => {
      life.abort();
      stalled.get(life)?.resolve();
      stalled.delete(life);
    };
    void answer.closed.then(onClosed);
    const upstreamAnswer = await forward(scripted, life.signal);
    if (request.method !== 'GET' && !UNGUARDED.has(request.resource) && upstreamAnswer.statusCode < 300)
      written.push(`${request.method} ${request.path}`);
    if (fault?.do === 'LoseAnswer') {
      await upstreamAnswer.body.dump();
      return answer.reset();
    }
    answer.head(upstreamAnswer.statusCode, endToEnd(upstreamAnswer.headers));
    if (request.isWatch && upstreamAnswer.statusCode === 200)
      return serveWatch(request, answer, upstreamAnswer, life);
    for await (const chunk of upstreamAnswer.body) answer.write(chunk as Uint8Array);
    answer.end();
  }

  const front = await startScriptedApiServer(
    // The API server is away, or the client is: either way the client finds a connection that has ended.
    (request, answer) => serve(request, answer).catch(() => answer.reset()),
    'either',
  );
  const network = await startTcpProxy(Number(new URL(front.connection.server).port));
  const folder = temporaryFolder('latchkey-fault-proxy');
  const caFile = join(folder.path, 'ca.crt');
  writeFileSync(caFile, front.connection.tls.ca ?? '');

  const proxy: FaultProxy = {
    url: `https://127.0.0.1:${network.port}`,
    caFile,
    onRequest: () => undefined,
    onLine: () => undefined,
    lagMs: new Map(),
    met,
    written,
    stall(resource) {
      const chosen = [...openWatches].filter(([, request]) => request.resource === resource);
      for (const [life] of chosen) stalled.set(life, Promise.withResolvers<void>());
      return chosen.length;
    },
    flow() {
      for (const { resolve } of stalled.values()) resolve();
      stalled.clear();
    },
    cut: () => network.freezeAll(),
    mend: () => network.thaw(),
    async close() {
      proxy.flow();
      await network.close();
      await front.close();
      await upstream.destroy();
      folder.remove();
    },
  };
  return proxy;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function endToEnd(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined || name.startsWith(':') || HOP_BY_HOP.has(name) ? [] : [[name, String(value)]],
    ),
  );
}
