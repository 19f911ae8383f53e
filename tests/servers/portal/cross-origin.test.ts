// Forms of other sites change nothing.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isOwnRequest } from '../../../src/servers/portal/cross-origin.ts';
import { startPortal } from './portal-server.ts';
import type { PortalServer } from './portal-server.ts';
import { adaCookie } from './scripted-access.ts';

const own = 'https://latchkey.example.com';

describe('a request that changes something', () => {
  test.each([
    ['of our own page', own, 'same-origin', true],
    ['of our own page in an old browser', own, undefined, true],
    ['that a person repeats by a reload', own, 'none', true],
    ['without an Origin', undefined, 'same-origin', true],
    ['of no browser', undefined, undefined, true],
    ['of another site', 'https://evil.example', 'cross-site', false],
    ['of another site in an old browser', 'https://evil.example', undefined, false],
    ['of another site that hides its Origin', undefined, 'cross-site', false],
    ['of a sibling domain', 'https://other.example.com', 'same-site', false],
    ['of a sandboxed page', 'null', 'cross-site', false],
    ['of a sandboxed page in an old browser', 'null', undefined, false],
    ['of our name without TLS', 'http://latchkey.example.com', undefined, false],
    ['of our name at another port', 'https://latchkey.example.com:8443', 'same-site', false],
    ['of a name that starts like ours', 'https://latchkey.example.com.evil.example', undefined, false],
    ['that contradicts itself', 'https://evil.example', 'same-origin', false],
    ['with a value that no browser sends', own, 'same-origin, cross-site', false],
    ['with an empty value', own, '', false],
  ])('%s: Origin %s, Sec-Fetch-Site %s', (_name, origin, fetchSite, expected) => {
    expect(isOwnRequest(origin, fetchSite, own)).toBe(expected);
  });
});

describe('the portal', () => {
  let portal: PortalServer;
  beforeAll(async () => {
    portal = await startPortal();
    portal.access.cookies.add(adaCookie);
  });
  afterAll(() => portal.close());

  test.each(['/sign-in', '/sign-out', '/end-access'])('does nothing on a foreign POST %s', async (url) => {
    const answer = await portal.app.inject({
      method: 'POST',
      url,
      headers: {
        host: new URL(portal.url).host,
        origin: 'https://evil.example',
        'sec-fetch-site': 'cross-site',
        'content-type': 'application/x-www-form-urlencoded',
        cookie: `__Host-latchkey=${adaCookie}`,
      },
      payload: 'username=eve&password=x',
    });
    expect(answer.statusCode).toBe(403);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(portal.access.attempts).toEqual([]);
    expect(portal.access.ended).toEqual([]);
    expect(portal.access.cookies).toContain(adaCookie);
  });

  test('lets a person come by a link of another site', async () => {
    const answer = await portal.app.inject({
      url: '/',
      headers: {
        host: new URL(portal.url).host,
        'sec-fetch-site': 'cross-site',
        cookie: `__Host-latchkey=${adaCookie}`,
      },
    });
    expect(answer.statusCode).toBe(200);
  });
});
