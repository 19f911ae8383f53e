// Tells the kubelet whether this process lives and whether it can serve.
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply } from 'fastify';

/** A named question about the process. Its name is shown to anyone who can reach the port. */
export interface HealthCheck {
  readonly name: string;
  /** An error counts as false, and is logged. */
  healthy(): boolean | Promise<boolean>;
}

export interface HealthChecks {
  /** false here asks for a restart: only what a restart would heal */
  readonly live: readonly HealthCheck[];
  /** false here takes this replica out of the Service */
  readonly ready: readonly HealthCheck[];
}

/** Below the second that a kubelet waits by default: a check that hangs has failed. */
const checkTimeoutMs = 800;

/** Adds `/livez` and `/readyz`: 200 `ok`, or 503 with the names of the checks that failed. */
export function registerHealth(app: FastifyInstance, checks: HealthChecks): void {
  // A probe every few seconds would bury the log.
  const options = { logLevel: 'warn' as const };
  app.get('/livez', options, (request, reply) => answer(checks.live, reply, request.log));
  app.get('/readyz', options, (request, reply) => answer(checks.ready, reply, request.log));
}

async function answer(
  checks: readonly HealthCheck[],
  reply: FastifyReply,
  log: FastifyBaseLogger,
): Promise<string> {
  const results = await Promise.all(checks.map((check) => passes(check, log)));
  const failed = checks.filter((_check, index) => !results[index]).map((check) => check.name);
  reply.type('text/plain; charset=utf-8');
  if (failed.length === 0) return 'ok\n';
  reply.code(503);
  return `failed: ${failed.join(', ')}\n`;
}

async function passes(check: HealthCheck, log: FastifyBaseLogger): Promise<boolean> {
  const timeout = new AbortController();
  try {
    const late = wait(checkTimeoutMs, false, { signal: timeout.signal, ref: false });
    return await Promise.race([check.healthy(), late]);
  } catch (error) {
    log.warn({ err: error, check: check.name }, 'health check failed');
    return false;
  } finally {
    timeout.abort();
  }
}
