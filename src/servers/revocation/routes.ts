// RFC 7009: whoever holds a token can end the session that it belongs to.
import formbody from '@fastify/formbody';
import type { FastifyInstance } from 'fastify';
import { decodeJwt } from 'jose';
import { endpoints } from '../../issuer/discovery.ts';
import type { EndSessionOf } from '../../verification/revocation.ts';
import { atMost } from '../at-most.ts';
import { pathOf } from '../path-of.ts';
import { sendStatus } from '../plain-errors.ts';
import { FORM_BYTES, tokenOf } from '../token-form.ts';

/** Nobody has to say who they are here, so fewer than where callers do. */
const MOST_AT_ONCE = 32;

export interface RevocationSettings {
  readonly issuerUrl: string;
  readonly endSessionOf: EndSessionOf;
}

/**
 * The token is all the proof that it takes: scripts have nothing else, and whoever finds one that has leaked should end
 * it. A thief who does so ends what was stolen, and the user signs in again. An expired token ends nothing.
 * Register it with `app.register(revocation, settings)`, without a prefix.
 */
export async function revocation(
  app: FastifyInstance,
  { issuerUrl, endSessionOf }: RevocationSettings,
): Promise<void> {
  app.removeAllContentTypeParsers();
  await app.register(formbody);
  app.post(
    pathOf(endpoints(issuerUrl).revocation),
    { bodyLimit: FORM_BYTES },
    atMost(MOST_AT_ONCE, async (request, reply) => {
      const token = tokenOf(request.body);
      if (token === undefined) return reply.code(400).send({ error: 'invalid_request' });
      // Section 2.2.1. A 200 would say that it is good for nothing now, and it lives on.
      if (isOfKubernetes(token)) return reply.code(400).send({ error: 'unsupported_token_type' });
      if (await endSessionOf(token)) return reply.code(200).send();
      // Section 2.2.1: the token must be taken to live on.
      sendStatus(reply.header('retry-after', 1), 503);
      return reply;
    }),
  );
}

/** As every token of a ServiceAccount says of itself, whoever has signed it; none of ours does. */
function isOfKubernetes(token: string): boolean {
  try {
    return Object.hasOwn(decodeJwt(token), 'kubernetes.io');
  } catch {
    return false;
  }
}
