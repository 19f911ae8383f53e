// Lets nobody ask about tokens but the callers that an admin has made.
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { AuthenticateCaller } from '../../verification/callers/callers.ts';
import { sendStatus } from '../plain-errors.ts';
import { authorizationHeaders, readAuthorization } from './authorization.ts';

/** RFC 9110, section 11.6.1: both ways that there are. */
const CHALLENGE = ['Basic realm="latchkey", charset="UTF-8"', 'Bearer realm="latchkey"'];

const STRANGER = { outcome: 'Stranger' } as const;

/**
 * A hook for `onRequest`: whoever is refused is refused before a byte of the body is read, and the connection ends, so
 * that the body cannot keep coming.
 */
export function requireCaller(authenticate: AuthenticateCaller): onRequestAsyncHookHandler {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const credentials = readAuthorization(authorizationHeaders(request.raw.rawHeaders));
    const { outcome } = credentials ? await authenticate(credentials) : STRANGER;
    if (outcome === 'Known') return undefined;
    // Whoever is told 401 may give up for good; this is only not known now.
    if (outcome === 'Undecided') sendStatus(reply.headers({ 'retry-after': 1, connection: 'close' }), 503);
    else sendStatus(reply.headers({ 'www-authenticate': CHALLENGE, connection: 'close' }), 401);
    return reply;
  };
}
