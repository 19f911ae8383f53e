// One log line for each answered request, of parts that cannot hold a secret.
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * A hook for `onResponse`. It names the route rather than the address that was asked for: queries, cookies, bodies
 * and mistyped paths are the caller's, and may hold what belongs in no log.
 */
export function logRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  request.log.info(
    {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
    },
    'request',
  );
  done();
}
