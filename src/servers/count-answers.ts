// Counts what is answered on some routes, by the route's name and the status.
import type { FastifyInstance } from 'fastify';

/** Call it before the routes are registered. @param names route → what it is called */
export function countAnswers(
  app: FastifyInstance,
  names: ReadonlyMap<string, string>,
  answered: (name: string, code: string) => void,
): void {
  app.addHook('onResponse', (request, reply, done) => {
    const name = names.get(request.routeOptions.url ?? '');
    if (name !== undefined) answered(name, String(reply.statusCode));
    done();
  });
}
