// The HTTPS server that everything Latchkey answers on is registered with.
import { fastify, LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { atMostConnections } from './at-most-connections.ts';
import { baselineHeaders } from './baseline-headers.ts';
import type { Certificate, CertificateSource } from './certificate.ts';
import { sendPlainError, sendStatus } from './plain-errors.ts';
import { logRequest } from './request-log.ts';

export interface HttpsSettings {
  readonly certificate: CertificateSource;
  readonly host: string;
  /** 0 takes a free one */
  readonly port: number;
}

/** How much, and how long, one caller may ask for. */
export interface HttpsLimits {
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** of more, the one that has asked nothing for longest is closed */
  readonly connections: number;
  readonly handshakeTimeoutMs: number;
  /** from the connection, or the first byte of a later request, to the end of the headers */
  readonly headersTimeoutMs: number;
  /** the same, to the end of the body */
  readonly requestTimeoutMs: number;
  /** a connection in which no byte moves while an answer is due */
  readonly idleTimeoutMs: number;
  /** longer than the 60 s for which nginx and AWS reuse a connection: they must be the ones to close it */
  readonly keepAliveTimeoutMs: number;
  /** how long a request that is under way may still take when the server closes */
  readonly closeDeadlineMs: number;
}

export const httpsLimits: HttpsLimits = {
  bodyBytes: 16 * 1024,
  headerBytes: 16 * 1024,
  connections: 1000,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  idleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  closeDeadlineMs: 10_000,
};

export interface HttpsServer {
  /** Register routes on it before `listen`. */
  readonly app: FastifyInstance;
  /** @returns the port */
  listen(): Promise<number>;
  /** Takes no more connections, lets requests end, and cuts off what is still there at the deadline. */
  close(): Promise<void>;
}

/** Makes the server; it takes no connection before `listen`. */
export function createHttpsServer(
  { certificate, host, port }: HttpsSettings,
  log: Logger,
  limits: HttpsLimits = httpsLimits,
): HttpsServer {
  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({
    https: {
      ...tlsOptions(certificate.current()),
      handshakeTimeout: limits.handshakeTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      // Node looks for connections past these timeouts only this often.
      connectionsCheckingInterval: Math.ceil(limits.headersTimeoutMs / 4),
      maxHeaderSize: limits.headerBytes,
    },
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    bodyLimit: limits.bodyBytes,
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    schemaController: { compilersFactory: { buildValidator: noSchema, buildSerializer: noSchema } },
    frameworkErrors: (error, request, reply) => sendPlainError(error, request, reply),
  });
  app.setErrorHandler(sendPlainError);
  app.setNotFoundHandler((_request, reply) => sendStatus(reply, 404));
  // Not async, as the hook that logs is not: a promise for each of them takes longer than what they do.
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(baselineHeaders);
    done();
  });
  app.addHook('onResponse', logRequest);

  const sockets = atMostConnections(app.server, limits.connections);
  const stopWatching = certificate.watch((fresh) => app.server.setSecureContext(tlsOptions(fresh)));

  return {
    app,
    async listen() {
      const address = await app.listen({ host, port });
      return Number(new URL(address).port);
    },
    async close() {
      stopWatching();
      const deadline = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, limits.closeDeadlineMs);
      await app.close().finally(() => clearTimeout(deadline));
    },
  };
}

/** Else Fastify loads two compilers of JSON schemas at its start, which is a tenth of ours: zod checks what is asked. */
function noSchema(): never {
  throw new Error('a route has a JSON schema, and there is no compiler for it');
}

/** `setSecureContext` forgets what it is not told again, so both start from here. */
function tlsOptions({ cert, key }: Pick<Certificate, 'cert' | 'key'>) {
  return { cert, key, minVersion: 'TLSv1.2' as const };
}
