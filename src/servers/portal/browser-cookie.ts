// The cookie by which a browser is known to be signed in.
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * `__Host-` makes browsers insist on Secure, on this very host and on the whole of it, so that no sibling domain and
 * no plain HTTP can plant one (RFC 6265bis, section 4.1.3.2).
 */
export const cookieName = '__Host-latchkey';

/**
 * Lax, not Strict: with Strict, whoever follows a link in a chat to the portal looks signed out and is asked for
 * their password, and learns to type it after following links. Lax is sent with foreign links only, and no GET
 * changes anything; foreign forms come without it, and are refused besides.
 */
const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const;

const maxLength = 512;

/** The browser's cookie; undefined where there is none, or one so long that it cannot be ours. */
export function browserCookie(request: FastifyRequest): string | undefined {
  const value = request.cookies[cookieName];
  return value && value.length <= maxLength ? value : undefined;
}

export function setBrowserCookie(reply: FastifyReply, value: string, expires: Date): void {
  reply.setCookie(cookieName, value, { ...attributes, expires });
}

export function clearBrowserCookie(reply: FastifyReply): void {
  reply.clearCookie(cookieName, attributes);
}
