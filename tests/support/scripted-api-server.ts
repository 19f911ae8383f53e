// An API server that misbehaves as a test tells it to: it exists for faults that a real one cannot be made to show.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createAuthority } from '../../dev/certificates.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import type { Connection } from '../../src/kubernetes/credentials.ts';

export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AsyncIterable<unknown>;
  /** Milliseconds, as performance.now() counts them. */
  readonly at: number;
}

export interface Answer {
  /** 200 and JSON unless said otherwise. */
  head(status: number, headers?: Readonly<Record<string, string>>): void;
  /** Without an end, as a watch is. */
  write(chunk: string | Uint8Array): void;
  /** Writes without an end until the client gives up. @returns how often */
  flood(chunk: Uint8Array): Promise<number>;
  end(chunk?: string): void;
  /** Breaks off this answer, or the connection with everything on it. */
  reset(): void;
  breakConnection(): void;
  /** Resolves when the client has given up, or the answer is complete. */
  readonly closed: Promise<unknown>;
}

export type Script = (request: ScriptedRequest, answer: Answer) => void | Promise<void>;

export interface ScriptedApiServer {
  readonly connection: Connection;
  /** All requests so far, in the order in which they came. */
  readonly requests: readonly ScriptedRequest[];
  connections(): number;
  /** Answers that have begun and not ended. */
  open(): number;
  /** What the next requests meet. */
  script: Script;
  /** @throws {AggregateError} what the script has thrown */
  close(): Promise<void>;
}

export async function startScriptedApiServer(
  script: Script,
  protocol: 'http/1.1' | 'either' = 'either',
): Promise<ScriptedApiServer> {
  const folder = temporaryFolder('latchkey-scripted');
  const authority = await createAuthority(folder.path, 'scripted CA');
  const serving = await authority.issue({ name: 'serving', commonName: 'scripted', hosts: ['127.0.0.1'] });
  const pem = {
    key: readFileSync(serving.keyFile, 'utf8'),
    cert: readFileSync(serving.certFile, 'utf8'),
  };
  const ca = readFileSync(authority.certFile, 'utf8');
  const requests: ScriptedRequest[] = [];
  const sockets = new Set<Socket>();
  const failures: unknown[] = [];
  let connections = 0;
  let open = 0;

  const serve = (
    request: Http2ServerRequest | IncomingMessage,
    response: Http2ServerResponse | ServerResponse,
  ) => {
    const url = new URL(request.url ?? '/', 'https://scripted');
    const scripted: ScriptedRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: request,
      at: performance.now(),
    };
    requests.push(scripted);
    open += 1;
    const closed = once(response, 'close');
    response.on('close', () => {
      open -= 1;
    });
    // A client that gives up in the middle is what some tests are about.
    response.on('error', () => undefined);
    // HTTP/2 has the same methods for it, under other types.
    const plain = response as ServerResponse;
    const answer: Answer = {
      head(status, headers = {}) {
        plain.writeHead(status, { 'content-type': 'application/json', ...headers });
        plain.flushHeaders();
      },
      write(chunk) {
        if (!plain.headersSent) answer.head(200);
        plain.write(chunk);
      },
      async flood(chunk) {
        answer.head(200);
        const over = new AbortController();
        plain.on('close', () => over.abort());
        let times = 0;
        for (; !over.signal.aborted; times += 1) {
          if (!plain.write(chunk)) await Promise.race([once(plain, 'drain'), closed]);
        }
        return times;
      },
      end: (chunk = '') => void plain.end(chunk),
      reset: () => ('stream' in response ? response.stream.destroy() : response.destroy()),
      // Of HTTP/2 the compatible API hides the socket's destroy().
      breakConnection: () => ('stream' in response ? response.stream.session : request.socket)?.destroy(),
      closed,
    };
    Promise.resolve(server.script(scripted, answer)).catch((error: unknown) => {
      failures.push(error);
      response.destroy();
    });
  };
  const listener =
    protocol === 'http/1.1'
      ? createServer(pem, serve)
      : createSecureServer({ ...pem, allowHTTP1: true }, serve);
  listener.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  const server: ScriptedApiServer = {
    connection: {
      server: `https://127.0.0.1:${(listener.address() as AddressInfo).port}`,
      tls: { ca },
      authorization: () => Promise.resolve({}),
      forget: () => undefined,
    },
    requests,
    connections: () => connections,
    open: () => open,
    script,
    async close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
      folder.remove();
      if (failures.length > 0) throw new AggregateError(failures, 'the script failed');
    },
  };
  return server;
}
