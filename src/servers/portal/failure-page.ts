// What a person sees when a request fails, in place of a machine's error.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { statusOf } from '../plain-errors.ts';
import { AccessUnavailable } from '../../sessions/access.ts';
import type { AssetPaths } from './assets.ts';
import { messagePage } from './pages/message.ts';
import { unavailableRetrySeconds } from './refusals.ts';
import { texts } from './texts.ts';

/** An error handler for fastify. The page shows nothing of the error but what its status means. */
export function failurePage(externalUrl: URL, assets: AssetPaths) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const status = error instanceof AccessUnavailable ? 503 : statusOf(error);
    if (status >= 500) request.log.error({ err: error }, 'request failed');
    if (status === 503) reply.header('retry-after', unavailableRetrySeconds);
    const words = texts.pages;
    const notice = hasText(status) ? words[status] : words[status < 500 ? 400 : 500];
    // Under a foreign name a relative link would lead back to where the reader is.
    const link =
      status === 421
        ? { href: externalUrl.href, text: words.goTo(externalUrl.host) }
        : { href: '/', text: words.backToStart };
    void reply
      .code(status)
      .type('text/html; charset=utf-8')
      .send(messagePage(assets, notice, link));
  };
}

function hasText(status: number): status is Extract<keyof typeof texts.pages, number> {
  return Object.hasOwn(texts.pages, status);
}
