// Serves the metrics over plain HTTP, on a port of their own: one question at a time, and nothing else to ask.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { baselineHeaders } from './baseline-headers.ts';

export interface MetricsServerSettings {
  readonly host: string;
  /** 0 takes a free one */
  readonly port: number;
}

/** Prometheus and one or two curious people. */
const limits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
  connections: 32,
  idleMs: 70_000,
};

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface MetricsServer {
  /** @returns the port. @throws where it cannot listen there */
  listen(): Promise<number>;
  /** At once: a scrape that is cut off is made again. */
  close(): Promise<void>;
}

/**
 * Whoever reaches the port may read: the metrics name no user and hold no secret. Scrapes that come while one is
 * made get the same answer, so that many of them cost no more than one.
 */
export function createMetricsServer(
  { host, port }: MetricsServerSettings,
  scrape: () => Promise<string>,
  log: Logger,
): MetricsServer {
  let underWay: Promise<string> | undefined;
  const shared = () => {
    underWay ??= scrape().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A body is nobody's business here; the connection ends with the answer, so it is not read either.
    if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
      response.shouldKeepAlive = false;
    const [path] = (request.url ?? '').split('?');
    if (path !== '/metrics') return refuse(response, 404);
    if (request.method !== 'GET') return refuse(response, 405, { allow: 'GET' });
    try {
      const text = await shared();
      response.writeHead(200, { ...baselineHeaders, 'content-type': CONTENT_TYPE });
      response.end(text);
    } catch (error) {
      log.error({ err: error }, 'the metrics cannot be read');
      refuse(response, 500);
    }
  }

  function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
    response.writeHead(status, {
      ...baselineHeaders,
      'content-type': 'text/plain; charset=utf-8',
      ...headers,
    });
    response.end(`${STATUS_CODES[status]}\n`);
  }

  const server = createServer(limits, (request, response) => void answer(request, response));
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idleMs);

  return {
    async listen() {
      server.listen(port, host);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
