// The routes of somebody who is signed in: seeing their access, signing out, ending it.
import type { FastifyInstance } from 'fastify';
import type { AssetPaths } from './assets.ts';
import { browserCookie, clearBrowserCookie } from './browser-cookie.ts';
import { statePage } from './pages/state.ts';
import type { PortalSettings } from './settings.ts';
import { signInPath } from './sign-in.ts';

export function registerState(app: FastifyInstance, settings: PortalSettings, assets: AssetPaths): void {
  const { access, contact, now } = settings;

  app.get('/', async (request, reply) => {
    const cookie = browserCookie(request);
    const view = cookie && (await access.view(cookie));
    if (!view) {
      if (cookie) clearBrowserCookie(reply);
      return reply.redirect(signInPath(), 303);
    }
    return reply.type('text/html; charset=utf-8').send(statePage(assets, view, contact, now()));
  });

  app.post('/sign-out', async (request, reply) => {
    const cookie = browserCookie(request);
    if (cookie) await access.signOut(cookie);
    clearBrowserCookie(reply);
    return reply.redirect(signInPath('SignedOut'), 303);
  });

  app.post('/end-access', async (request, reply) => {
    const cookie = browserCookie(request);
    // Whoever asks for this must not be told that it was done when this browser could not do it.
    const known = cookie && (await access.view(cookie));
    if (known) await access.endAccess(cookie);
    clearBrowserCookie(reply);
    return reply.redirect(signInPath(known ? 'AccessEnded' : 'NotSignedIn'), 303);
  });
}
