// The log of routes that are asked thousands of times a second: only what goes wrong.
import type { FastifyBaseLogger, RouteShorthandOptions } from 'fastify';

type QuietLog = Pick<RouteShorthandOptions, 'logLevel' | 'childLoggerFactory'>;

/** For the options of a route. One logger serves all its requests: to make one for each takes longer than to parse it. */
export function quietLog(): QuietLog {
  let made: FastifyBaseLogger | undefined;
  return {
    logLevel: 'warn',
    childLoggerFactory: (logger, _bindings, options) => (made ??= logger.child({}, options)),
  };
}
