// The webhook by which a kube-apiserver, or anything else that speaks TokenReview, asks who the bearer of a token is.
import { errorCodes, type FastifyInstance, type FastifyReply } from 'fastify';
import { endpoints } from '../../issuer/discovery.ts';
import { LONGEST_TOKEN } from '../../issuer/verify.ts';
import type { AuthenticateCaller } from '../../verification/callers/callers.ts';
import type { Verification } from '../../verification/verification.ts';
import { answerTogether } from '../answer-together.ts';
import { atMost } from '../at-most.ts';
import { requireCaller } from '../callers/require-caller.ts';
import { pathOf } from '../path-of.ts';
import { statusOf } from '../plain-errors.ts';
import { quietLog } from '../quiet-log.ts';
import { answerReview, parseReview, type ReviewSettings } from './review.ts';

/** A token, and room for the rest of the object. */
const BODY_BYTES = LONGEST_TOKEN + 16 * 1024;
/** Most wait for nothing; the others wait for the API server, which answers more than this at once no faster. */
const MOST_AT_ONCE = 256;

export interface TokenReviewSettings extends ReviewSettings {
  readonly issuerUrl: string;
  readonly authenticate: AuthenticateCaller;
  readonly verification: Verification;
}

/** Register it with `app.register(tokenReview, settings)`, without a prefix. */
export async function tokenReview(app: FastifyInstance, settings: TokenReviewSettings): Promise<void> {
  const { issuerUrl, authenticate, verification } = settings;
  app.setErrorHandler((error, request, reply) => {
    const code = statusOf(error);
    if (code === 500) request.log.error({ err: error }, 'request failed');
    sendFailure(reply, code, code === 500 ? 'InternalError' : 'BadRequest', 'the request cannot be read');
  });
  // Without fastify's search for poisoned prototypes, which takes longer than the parsing: nothing here copies what was
  // sent but a schema, by name.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body.toString()));
    } catch {
      done(new errorCodes.FST_ERR_CTP_INVALID_JSON_BODY());
    }
  });
  app.addHook('onRequest', requireCaller(authenticate));
  app.addHook('onSend', answerTogether);
  const options = { bodyLimit: BODY_BYTES, ...quietLog() };
  app.post(
    pathOf(endpoints(issuerUrl).tokenReview),
    options,
    atMost(MOST_AT_ONCE, async (request, reply) => {
      const asked = parseReview(request.body);
      if ('problem' in asked) return sendFailure(reply, 400, 'BadRequest', asked.problem);
      return answerReview(asked.spec, await verification.verify(asked.spec.token), settings);
    }),
  );
}

/** metav1.Status: a kube-apiserver writes its message into its log. */
function sendFailure(reply: FastifyReply, code: number, reason: string, message: string): FastifyReply {
  return reply
    .code(code)
    .send({ apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', reason, message, code });
}
