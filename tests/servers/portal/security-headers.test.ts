// Every page holds the browser to what the portal needs.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fastify } from 'fastify';
import { securityHeaders } from '../../../src/servers/portal/security-headers.ts';
import { startPortal } from './portal-server.ts';
import type { PortalServer } from './portal-server.ts';

describe('the headers of a page', () => {
  let portal: PortalServer;
  beforeAll(async () => {
    portal = await startPortal();
  });
  afterAll(() => portal.close());

  test.each(['/sign-in', '/', '/nothing', '/assets/nothing'])('hold the browser of %s', async (url) => {
    const { headers } = await portal.app.inject({ url, headers: { host: new URL(portal.url).host } });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['permissions-policy']).toContain('camera=()');
  });

  test('say nothing of the software that sends them', async () => {
    const { headers } = await portal.app.inject('/sign-in');
    expect(headers).not.toHaveProperty('server');
    expect(headers).not.toHaveProperty('x-powered-by');
  });
});

describe('HSTS', () => {
  test.each([
    ['https://latchkey.example.com', 'max-age=31536000'],
    ['https://localhost:8443', undefined],
    ['https://demo.localhost:8443', undefined],
  ])('for %s is %s', async (externalUrl, expected) => {
    const app = fastify();
    app.addHook('onRequest', securityHeaders(new URL(externalUrl)));
    app.get('/', async () => 'here');
    expect((await app.inject('/')).headers['strict-transport-security']).toBe(expected);
  });
});
