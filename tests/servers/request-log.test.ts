// The request log says enough to help, and nothing that is the caller's.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { TestServers } from './running-server.ts';

const servers = new TestServers();
beforeAll(() => servers.install('first'));
afterEach(() => servers.stop());
afterAll(() => servers.remove());

beforeEach(() => {
  servers.lines.length = 0;
});

describe('the request log', () => {
  test('has one line for each request, by its route', async () => {
    const { server } = await servers.start();
    await server.app.inject('/');
    const records = servers.lines.map((line): unknown => JSON.parse(line)).filter(isRequest);
    expect(records).toEqual([expect.objectContaining({ method: 'GET', route: '/', status: 200 })]);
  });

  test('holds no query, no cookie, no body and no path of the caller’s', async () => {
    const { server } = await servers.start();
    const secret = 'hunter2';
    const headers = {
      cookie: `__Host-latchkey=${secret}`,
      authorization: secret,
      'content-type': 'text/plain',
    };
    await server.app.inject({ url: `/?password=${secret}`, headers });
    await server.app.inject({ url: `/${secret}`, headers });
    await server.app.inject({ method: 'POST', url: '/echo', headers, payload: secret });
    await server.app.inject({
      method: 'POST',
      url: '/echo',
      headers: { ...headers, 'content-type': 'text/csv' },
      payload: secret,
    });
    expect(servers.lines.length).toBeGreaterThanOrEqual(4);
    expect(servers.lines.join()).not.toContain(secret);
  });
});

function isRequest(record: unknown): boolean {
  return typeof record === 'object' && record !== null && 'msg' in record && record.msg === 'request';
}
