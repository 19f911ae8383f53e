// The portal answers under its own name alone.
import { BlockList } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fastify } from 'fastify';
import { refuseForeignHosts } from '../../../src/servers/portal/own-host.ts';
import { portal } from '../../../src/servers/portal/portal.ts';
import { ScriptedAccess } from './scripted-access.ts';

async function statusFor(externalUrl: string, host: string): Promise<number> {
  const app = fastify();
  app.addHook('onRequest', refuseForeignHosts(new URL(externalUrl)));
  app.get('/', async () => 'here');
  return (await app.inject({ url: '/', headers: { host } })).statusCode;
}

describe('a Host header', () => {
  test.each([
    ['https://latchkey.example.com', 'latchkey.example.com', 200],
    ['https://latchkey.example.com', 'LATCHKEY.example.com', 200],
    ['https://latchkey.example.com', 'latchkey.example.com:443', 200],
    ['https://latchkey.example.com', 'latchkey.example.com:8443', 421],
    ['https://latchkey.example.com', 'evil.example', 421],
    ['https://latchkey.example.com', 'ada@latchkey.example.com', 421],
    ['https://latchkey.example.com', 'latchkey.example.com.evil.example', 421],
    ['https://latchkey.example.com', '', 421],
    ['https://localhost:8443', 'localhost:8443', 200],
    ['https://localhost:8443', 'localhost', 421],
    ['https://[::1]:8443', '[::1]:8443', 200],
  ])('for %s, %j gives %i', async (externalUrl, host, expected) => {
    expect(await statusFor(externalUrl, host)).toBe(expected);
  });
});

describe('under a foreign name', () => {
  const app = fastify();
  beforeAll(async () => {
    await app.register(portal, {
      access: new ScriptedAccess(),
      externalUrl: new URL('https://latchkey.example.com'),
      contact: 'the platform team',
      proxies: new BlockList(),
      now: () => new Date(),
    });
    app.get('/jwks', async () => ({ keys: [] }));
  });
  afterAll(() => app.close());

  test('the portal shows no form and says where it is at home', async () => {
    const answer = await app.inject({ url: '/sign-in', headers: { host: 'evil.example' } });
    expect(answer.statusCode).toBe(421);
    expect(answer.body).not.toContain('<form');
    expect(answer.body).toContain('href="https://latchkey.example.com/"');
    expect(answer.body).not.toContain('evil.example');
  });

  test('what is not the portal answers as ever', async () => {
    const answer = await app.inject({ url: '/jwks', headers: { host: 'latchkey.latchkey.svc' } });
    expect(answer.json()).toEqual({ keys: [] });
    expect(answer.headers).not.toHaveProperty('cross-origin-opener-policy');
  });
});
