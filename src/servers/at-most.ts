// A limit on how much of one kind of work is under way at once, so that a flood is refused and not queued.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendStatus } from './plain-errors.ts';

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Beyond `most` the answer is 429: a kube-apiserver tries again after the pause that it is asked for. */
export function atMost(most: number, handler: Handler): Handler {
  let underWay = 0;
  return async (request, reply) => {
    if (underWay >= most) {
      sendStatus(reply.header('retry-after', 1), 429);
      return reply;
    }
    underWay += 1;
    try {
      return await handler(request, reply);
    } finally {
      underWay -= 1;
    }
  };
}
