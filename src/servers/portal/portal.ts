// The sign-in portal: a few server-rendered pages, as one plugin for the HTTPS server.
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import type { FastifyInstance } from 'fastify';
import { registerAssets } from './assets.ts';
import { refuseCrossOrigin } from './cross-origin.ts';
import { failurePage } from './failure-page.ts';
import { refuseForeignHosts } from './own-host.ts';
import { RequestRefused } from './request-refused.ts';
import { securityHeaders } from './security-headers.ts';
import type { PortalSettings } from './settings.ts';
import { registerSignIn } from './sign-in.ts';
import { registerState } from './state.ts';

/**
 * Register it with `app.register(portal, settings)`. Its hooks, its parsers and its error pages hold for its own
 * routes alone. It answers every GET that no other route answers, with a page for people.
 */
export async function portal(app: FastifyInstance, settings: PortalSettings): Promise<void> {
  app.removeAllContentTypeParsers();
  await app.register(formbody);
  await app.register(cookie);
  const assets = await registerAssets(app);
  app.setErrorHandler(failurePage(settings.externalUrl, assets));
  app.addHook('onRequest', securityHeaders(settings.externalUrl));
  app.addHook('onRequest', refuseForeignHosts(settings.externalUrl));
  app.addHook('onRequest', refuseCrossOrigin(settings.externalUrl));
  registerSignIn(app, settings, assets);
  registerState(app, settings, assets);
  app.get('/*', async () => {
    throw new RequestRefused('NoSuchPage', 404, 'There is no such page.');
  });
}
