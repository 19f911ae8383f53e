// Signing in, as requests and answers.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AccessUnavailable } from '../../../src/sessions/access.ts';
import { proxyAddress, startPortal } from './portal-server.ts';
import type { PortalServer } from './portal-server.ts';
import { adaCookie } from './scripted-access.ts';

let portal: PortalServer;
beforeEach(async () => {
  portal = await startPortal({ passwordChangeUrl: new URL('https://passwords.example.com/change') });
});
afterEach(() => portal.close());

function get(url: string) {
  return portal.app.inject({ url, headers: { host: new URL(portal.url).host } });
}

interface Post {
  readonly headers?: Record<string, string>;
  readonly remoteAddress?: string;
}

function post(payload: string, { headers = {}, remoteAddress = '203.0.113.7' }: Post = {}) {
  return portal.app.inject({
    method: 'POST',
    url: '/sign-in',
    remoteAddress,
    headers: {
      host: new URL(portal.url).host,
      'content-type': 'application/x-www-form-urlencoded',
      origin: portal.url,
      'sec-fetch-site': 'same-origin',
      ...headers,
    },
    payload,
  });
}

describe('signing in', () => {
  test('gives the browser its cookie and sends it to its page', async () => {
    const answer = await post('username=ada&password=correct');
    expect(answer.statusCode).toBe(303);
    expect(answer.headers.location).toBe('/');
    expect(answer.headers['set-cookie']).toBe(
      `__Host-latchkey=${adaCookie}; Path=/; Expires=Thu, 01 Jan 2099 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`,
    );
  });

  test('hands on a trimmed username, the password as typed, and the address', async () => {
    await post('username=+ada%40example.com+&password=+%E2%82%AC%26+');
    expect(portal.access.attempts).toEqual([
      { username: 'ada@example.com', password: ' €& ', address: '203.0.113.7' },
    ]);
  });

  test.each([
    ['believes a configured proxy', proxyAddress, '198.51.100.9'],
    ['does not believe a stranger', '203.0.113.7', '203.0.113.7'],
  ])('%s about the address', async (_name, remoteAddress, expected) => {
    await post('username=ada&password=x', { remoteAddress, headers: { 'x-forwarded-for': '198.51.100.9' } });
    expect(portal.access.attempts[0]?.address).toBe(expected);
  });

  test('works without a browser', async () => {
    const answer = await portal.app.inject({
      method: 'POST',
      url: '/sign-in',
      headers: { host: new URL(portal.url).host, 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'username=ada&password=correct',
    });
    expect(answer.statusCode).toBe(303);
  });

  test('forgets the cookie that the browser had before', async () => {
    portal.access.cookies.add('previous');
    await post('username=ada&password=correct', { headers: { cookie: '__Host-latchkey=previous' } });
    expect([...portal.access.cookies]).toEqual([adaCookie]);
  });

  test('succeeds even when the previous cookie cannot be forgotten', async () => {
    portal.access.signOut = () => Promise.reject(new AccessUnavailable('AccessUnavailable', 'no answer'));
    const answer = await post('username=ada&password=correct', {
      headers: { cookie: '__Host-latchkey=previous' },
    });
    expect(answer.statusCode).toBe(303);
    expect(answer.headers['set-cookie']).toContain(adaCookie);
  });
});

describe('a refusal', () => {
  test('is the same for every wrong attempt but for the name that was typed', async () => {
    portal.access.result = { outcome: 'Refused' };
    const [first, second] = [await post('username=ada&password=a'), await post('username=bob&password=bb')];
    expect(first.statusCode).toBe(401);
    expect(second.statusCode).toBe(401);
    expect(second.body.replace('value="bob"', 'value="ada"')).toBe(first.body);
    expect(first.headers['set-cookie']).toBeUndefined();
  });

  test('keeps the username, escaped, and never the password', async () => {
    portal.access.result = { outcome: 'Refused' };
    const { body } = await post(`username=${encodeURIComponent('"><script>')}&password=hunter2`);
    expect(body).toContain('value="&#34;&#62;&#60;script&#62;"');
    expect(body).not.toContain('<script>');
    expect(body).not.toContain('hunter2');
  });

  test('of an expired password links to where it is changed', async () => {
    portal.access.result = { outcome: 'PasswordExpired' };
    const { statusCode, body } = await post('username=ada&password=old');
    expect(statusCode).toBe(403);
    expect(body).toContain('href="https://passwords.example.com/change"');
  });

  test('for too many attempts, or a directory out of reach, says when to come back', async () => {
    portal.access.result = { outcome: 'TooManyAttempts', retryAfterSeconds: 61.5 };
    const many = await post('username=ada&password=x');
    expect([many.statusCode, many.headers['retry-after']]).toEqual([429, '62']);
    portal.access.result = { outcome: 'Unavailable' };
    const unavailable = await post('username=ada&password=x');
    expect([unavailable.statusCode, unavailable.headers['retry-after']]).toEqual([503, '30']);
  });

  test('shows the message of a closed gate as text', async () => {
    portal.access.result = { outcome: 'NoAccess', reason: 'UserDisabled', message: 'Off <b>since</b> noon.' };
    const { statusCode, body } = await post('username=ada&password=x');
    expect(statusCode).toBe(403);
    expect(body).toContain('Off &#60;b&#62;since&#60;/b&#62; noon.');
  });
});

describe('a bad form', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  test.each([
    ['without a password', 'username=ada', form, 400],
    ['with two usernames', 'username=ada&username=eve&password=x', form, 400],
    ['with two passwords', 'username=ada&password=x&password=y', form, 400],
    ['with an empty password', 'username=ada&password=', form, 400],
    ['with a username of spaces', 'username=++&password=x', form, 400],
    ['with a username that is too long', `username=${'u'.repeat(257)}&password=x`, form, 400],
    ['with a password that is too long', `username=ada&password=${'p'.repeat(1025)}`, form, 400],
    ['that is too big', `username=ada&password=x&more=${'m'.repeat(17 * 1024)}`, form, 413],
    ['that is JSON', '{"username":"ada","password":"x"}', { 'content-type': 'application/json' }, 415],
    ['that is plain text', 'username=ada&password=x', { 'content-type': 'text/plain' }, 415],
    ['of several parts', '--x--', { 'content-type': 'multipart/form-data; boundary=x' }, 415],
    ['that is empty', '', form, 400],
  ])('%s is refused with a page', async (_name, payload, headers, status) => {
    const answer = await post(payload, { headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.body).toContain('<h1>');
    expect(portal.access.attempts).toEqual([]);
  });
});

describe('the sign-in page', () => {
  test.each([
    ['SignedOut', 'You are signed out'],
    ['AccessEnded', 'Your access has ended'],
    ['NotSignedIn', 'Please sign in first'],
  ])('says what happened after %s', async (notice, expected) => {
    expect((await get(`/sign-in?notice=${notice}`)).body).toContain(expected);
  });

  test.each(['?notice=constructor', '?notice=Call+0900', '?notice=SignedOut&notice=SignedOut', ''])(
    'says nothing that a link %s puts in its mouth',
    async (query) => {
      const { statusCode, body } = await get(`/sign-in${query}`);
      expect(statusCode).toBe(200);
      expect(body).toBe((await get('/sign-in')).body);
    },
  );
});
