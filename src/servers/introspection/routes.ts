// RFC 7662: a service asks whether a token is good now, and who its bearer is now.
import formbody from '@fastify/formbody';
import type { FastifyInstance } from 'fastify';
import { endpoints } from '../../issuer/discovery.ts';
import type { AuthenticateCaller } from '../../verification/callers/callers.ts';
import type { Verdict, Verification } from '../../verification/verification.ts';
import { answerTogether } from '../answer-together.ts';
import { atMost } from '../at-most.ts';
import { requireCaller } from '../callers/require-caller.ts';
import { pathOf } from '../path-of.ts';
import { sendStatus } from '../plain-errors.ts';
import { quietLog } from '../quiet-log.ts';
import { FORM_BYTES, tokenOf } from '../token-form.ts';

const MOST_AT_ONCE = 256;

/** RFC 7662, section 2.2: nothing else, so that nobody learns why. */
const INACTIVE = { active: false };

export interface IntrospectionSettings {
  readonly issuerUrl: string;
  readonly authenticate: AuthenticateCaller;
  readonly verification: Verification;
}

/** Register it with `app.register(introspection, settings)`, without a prefix. */
export async function introspection(
  app: FastifyInstance,
  { issuerUrl, authenticate, verification }: IntrospectionSettings,
): Promise<void> {
  app.removeAllContentTypeParsers();
  await app.register(formbody);
  app.addHook('onRequest', requireCaller(authenticate));
  app.addHook('onSend', answerTogether);
  const options = { bodyLimit: FORM_BYTES, ...quietLog() };
  app.post(
    pathOf(endpoints(issuerUrl).introspection),
    options,
    atMost(MOST_AT_ONCE, async (request, reply) => {
      const token = tokenOf(request.body);
      if (token === undefined) return reply.code(400).send({ error: 'invalid_request' });
      const verdict = await verification.verify(token);
      if (verdict.outcome === 'Accepted') return active(verdict, issuerUrl);
      if (verdict.outcome === 'Refused') return INACTIVE;
      // Whoever is told "inactive" may remember it; this is only not known now.
      sendStatus(reply.header('retry-after', 1), 503);
      return reply;
    }),
  );
}

/** Times, number and issuer are the token's; all that is said of the bearer is what holds now. */
function active({ identity, claims }: Verdict & { outcome: 'Accepted' }, issuerUrl: string) {
  const { jti, exp, iat, nbf } = claims;
  return {
    active: true,
    token_type: 'Bearer',
    username: identity.preferred_username,
    ...identity,
    iss: issuerUrl,
    jti,
    exp,
    iat,
    nbf,
  };
}
