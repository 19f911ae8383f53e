// The response headers that hold a browser to what our pages need.
import type { FastifyReply, FastifyRequest } from 'fastify';

const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'", // the state page looks whether it is still true
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': contentSecurityPolicy,
  // Not no-referrer: with it browsers send forms with `Origin: null` (Fetch standard, "append a request Origin
  // header"), which is what a forged form of a sandboxed page looks like.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** A hook for `onRequest`. */
export function securityHeaders(externalUrl: URL) {
  const all = isLocal(externalUrl.hostname)
    ? headers
    : { ...headers, 'strict-transport-security': 'max-age=31536000' };
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => void reply.headers(all);
}

/** HSTS holds for a name on every port: for localhost it would break whatever else a developer serves over HTTP. */
function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost');
}
