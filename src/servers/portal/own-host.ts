// Answers only under the name that the portal is known by.
import type { FastifyRequest } from 'fastify';
import { RequestRefused } from './request-refused.ts';

/**
 * A hook for `onRequest`: 421 (RFC 9110, section 15.5.20) for any other `Host`. A name that an attacker points at
 * this address (DNS rebinding) shows no page and sets no cookie. Proxies must pass `Host` on.
 */
export function refuseForeignHosts(externalUrl: URL) {
  const names = new Set([externalUrl.host, `${externalUrl.hostname}:${externalUrl.port || 443}`]);
  return async (request: FastifyRequest): Promise<void> => {
    if (names.has(request.headers.host?.toLowerCase() ?? '')) return;
    throw new RequestRefused('ForeignHost', 421, 'The Host header names another server.');
  };
}
