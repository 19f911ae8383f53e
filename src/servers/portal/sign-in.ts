// The routes of signing in.
import type { FastifyInstance } from 'fastify';
import { clientAddress } from '../client-address.ts';
import type { AssetPaths } from './assets.ts';
import { browserCookie, setBrowserCookie } from './browser-cookie.ts';
import { readCredentials } from './credentials.ts';
import { signInPage } from './pages/sign-in.ts';
import type { SignInPage } from './pages/sign-in.ts';
import { refusalOf } from './refusals.ts';
import type { PortalSettings } from './settings.ts';
import { texts } from './texts.ts';
import type { FarewellName } from './texts.ts';

/** Where a redirect goes that says what just happened. */
export function signInPath(farewell?: FarewellName): string {
  return farewell ? `/sign-in?notice=${farewell}` : '/sign-in';
}

export function registerSignIn(app: FastifyInstance, settings: PortalSettings, assets: AssetPaths): void {
  const { access, contact, proxies } = settings;
  const render = (page: Omit<SignInPage, 'contact'>) => signInPage(assets, { contact, ...page });

  app.get<{ Querystring: { notice?: unknown } }>('/sign-in', async (request, reply) => {
    const farewell = farewellNamed(request.query.notice);
    return reply.type('text/html; charset=utf-8').send(render({ ...(farewell && { farewell }) }));
  });

  app.post('/sign-in', async (request, reply) => {
    reply.type('text/html; charset=utf-8');
    const { username, password } = readCredentials(request.body);
    if (username === '' || password === '') {
      const problem = { ...texts.refusals.Incomplete, fieldsAreWrong: true };
      return reply.code(400).send(render({ username, problem }));
    }
    const address = clientAddress(request.ip, request.headers['x-forwarded-for'], proxies);
    const result = await access.signIn({ username, password, address });
    if (result.outcome === 'SignedIn') {
      const previous = browserCookie(request);
      setBrowserCookie(reply, result.cookie, result.expiresAt);
      if (previous !== undefined && previous !== result.cookie) await forget(previous);
      return reply.redirect('/', 303);
    }
    const refusal = refusalOf(result, settings);
    if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', refusal.retryAfterSeconds);
    return reply.code(refusal.status).send(render({ username, problem: refusal.problem }));
  });

  /** Nobody holds the browser's previous cookie any more: it goes, and that it could not is no reason to refuse. */
  async function forget(cookie: string): Promise<void> {
    await access.signOut(cookie).catch((error: unknown) => {
      app.log.warn({ err: error }, 'a replaced cookie stays valid until it expires');
    });
  }
}

/** Only what we say ourselves: a link must not put words on this page. */
function farewellNamed(name: unknown) {
  switch (name) {
    case 'SignedOut':
    case 'AccessEnded':
    case 'NotSignedIn':
      return texts.farewells[name];
    default:
      return undefined;
  }
}
