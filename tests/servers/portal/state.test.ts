// The page of one's access, signing out and ending access, as requests and answers.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AccessUnavailable } from '../../../src/sessions/access.ts';
import type { AccessState } from '../../../src/sessions/access.ts';
import { startPortal } from './portal-server.ts';
import type { PortalServer } from './portal-server.ts';
import { adaCookie, adaView } from './scripted-access.ts';

let portal: PortalServer;
beforeEach(async () => {
  portal = await startPortal();
  portal.access.cookies.add(adaCookie);
});
afterEach(() => portal.close());

function request(method: 'GET' | 'POST', url: string, cookie?: string) {
  return portal.app.inject({
    method,
    url,
    headers: {
      host: new URL(portal.url).host,
      ...(cookie !== undefined && { cookie: `__Host-latchkey=${cookie}` }),
    },
  });
}

const cleared =
  '__Host-latchkey=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax';

describe('the page of one’s access', () => {
  test('sends a browser without a cookie to sign in', async () => {
    const { statusCode, headers } = await request('GET', '/');
    expect([statusCode, headers.location, headers['set-cookie']]).toEqual([303, '/sign-in', undefined]);
  });

  test.each(['unknown', 'x'.repeat(513)])('sends a browser with the cookie %s to sign in', async (cookie) => {
    const { statusCode, headers } = await request('GET', '/', cookie);
    expect([statusCode, headers.location]).toEqual([303, '/sign-in']);
  });

  test('takes away a cookie that is not known', async () => {
    expect((await request('GET', '/', 'unknown')).headers['set-cookie']).toMatch(/^__Host-latchkey=; .*1970/);
  });

  test('shows who one is, where, how long the token lives and how to read it', async () => {
    const { statusCode, body } = await request('GET', '/', adaCookie);
    expect(statusCode).toBe(200);
    expect(body).toContain('Ada Lovelace');
    expect(body).toMatch(
      /<time datetime="2026-03-01T14:32:00.000Z" data-seconds="1050"\s*>in 17 minutes<\/time/,
    );
    expect(body).toContain('at 14:32 UTC');
    expect(body).toContain('jsonpath=&#39;{.data.AUTH_TOKEN}&#39; | base64 -d');
  });

  test('says so when the token has just expired', async () => {
    portal.clock.now = new Date('2026-03-01T14:32:00Z');
    const { body } = await request('GET', '/', adaCookie);
    expect(body).toContain('has expired');
    expect(body).not.toContain('<time');
  });

  test.each<[AccessState, { command: boolean; end: boolean; again: boolean; refresh: boolean }]>([
    ['Active', { command: true, end: true, again: false, refresh: false }],
    ['Preparing', { command: true, end: true, again: false, refresh: true }],
    ['SignedOut', { command: false, end: false, again: true, refresh: false }],
    ['Blocked', { command: false, end: false, again: false, refresh: false }],
  ])('offers in the state %s what can be done there', async (state, offered) => {
    portal.access.shown = { ...adaView, state };
    const { body } = await request('GET', '/', adaCookie);
    expect({
      command: body.includes('AUTH_TOKEN'),
      end: body.includes('action="/end-access"'),
      again: body.includes('href="/sign-in"'),
      refresh: body.includes('http-equiv="refresh"'),
    }).toEqual(offered);
    expect(body).toContain('action="/sign-out"');
  });

  test('shows why access is blocked, and what to do', async () => {
    portal.access.shown = { ...adaView, state: 'Blocked', reason: 'LicenseExpired', message: 'Ask <them>.' };
    const { body } = await request('GET', '/', adaCookie);
    expect(body).toContain('Ask &#60;them&#62;.');
    expect(body).toContain('LicenseExpired');
  });
});

describe('signing out', () => {
  test('forgets this browser and ends no access', async () => {
    const { statusCode, headers } = await request('POST', '/sign-out', adaCookie);
    expect([statusCode, headers.location]).toEqual([303, '/sign-in?notice=SignedOut']);
    expect(headers['set-cookie']).toBe(cleared);
    expect(portal.access.cookies.size).toBe(0);
    expect(portal.access.ended).toEqual([]);
  });

  test('keeps the cookie when the cluster could not forget it', async () => {
    portal.access.failure = new AccessUnavailable('AccessUnavailable', 'no answer from 10.0.0.1');
    const { statusCode, headers } = await request('POST', '/sign-out', adaCookie);
    expect([statusCode, headers['set-cookie']]).toEqual([503, undefined]);
  });

  test.each(['/sign-out', '/end-access'])('does not happen by a GET %s', async (url) => {
    expect((await request('GET', url, adaCookie)).statusCode).toBe(404);
    expect(portal.access.cookies.size).toBe(1);
  });
});

describe('ending one’s access', () => {
  test('ends it, and says so', async () => {
    const { statusCode, headers } = await request('POST', '/end-access', adaCookie);
    expect([statusCode, headers.location]).toEqual([303, '/sign-in?notice=AccessEnded']);
    expect(headers['set-cookie']).toBe(cleared);
    expect(portal.access.ended).toEqual([adaCookie]);
  });

  test.each([undefined, 'unknown'])(
    'is not said to be done for a browser with the cookie %s',
    async (cookie) => {
      const { headers } = await request('POST', '/end-access', cookie);
      expect(headers.location).toBe('/sign-in?notice=NotSignedIn');
      expect(portal.access.ended).toEqual([]);
    },
  );
});

describe('when the cluster', () => {
  test('does not answer, people read "try again" and nothing of the inside', async () => {
    portal.access.failure = new AccessUnavailable('AccessUnavailable', 'no answer from 10.0.0.1');
    const { statusCode, headers, body } = await request('GET', '/', adaCookie);
    expect([statusCode, headers['retry-after']]).toEqual([503, '30']);
    expect(body).toContain('try again in a minute');
    expect(body).not.toContain('10.0.0.1');
  });

  test('answers with something unforeseen, it is our fault', async () => {
    portal.access.failure = new Error('no answer from 10.0.0.1');
    const { statusCode, body } = await request('GET', '/', adaCookie);
    expect(statusCode).toBe(500);
    expect(body).toContain('Something went wrong on our side');
    expect(body).not.toContain('10.0.0.1');
  });
});
