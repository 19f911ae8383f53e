// Refuses forms that another site sent in a person's name.
import type { FastifyRequest } from 'fastify';
import { RequestRefused } from './request-refused.ts';

/**
 * Whether a request that changes something came from our own pages. The rule is that of Go's
 * http.CrossOriginProtection (net/http/csrf.go), and stricter where both headers are there: it takes
 * `Sec-Fetch-Site` alone. A browser sends at least one of them with every POST and lets no page choose them; a
 * request with neither is no browser's, and then there is no cookie of somebody else's to abuse.
 * @param origin the `Origin` header
 * @param fetchSite the `Sec-Fetch-Site` header: `none` is a person's own doing, such as a reload
 * @param ownOrigin as the address bar shows it; a page of `null` origin is never ours
 */
export function isOwnRequest(
  origin: string | undefined,
  fetchSite: string | undefined,
  ownOrigin: string,
): boolean {
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') return false;
  return origin === undefined || origin === ownOrigin;
}

/**
 * A hook for `onRequest`. It guards signing in as well: else a stranger's page could sign a person in to an account
 * of the stranger's.
 */
export function refuseCrossOrigin(externalUrl: URL) {
  return async (request: FastifyRequest): Promise<void> => {
    if (request.method === 'GET' || request.method === 'HEAD') return;
    const fetchSite = request.headers['sec-fetch-site']?.toString();
    if (isOwnRequest(request.headers.origin, fetchSite, externalUrl.origin)) return;
    throw new RequestRefused('CrossOrigin', 403, 'The form was sent by another site.');
  };
}
