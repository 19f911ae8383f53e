// A request that fails tells its caller no more than it must.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TestServers } from './running-server.ts';

const servers = new TestServers();
beforeAll(() => servers.install('first'));
afterEach(() => servers.stop());
afterAll(() => servers.remove());

describe('a request that fails', () => {
  test.each([
    ['/nothing', 404, 'Not Found'],
    ['/%', 400, 'Bad Request'],
    ['/broken', 500, 'Internal Server Error'],
  ])('GET %s is answered with %i and no more than its name', async (url, status, error) => {
    const { server } = await servers.start({}, (app) => {
      app.get('/broken', async () => {
        throw new Error('the database at 10.0.0.1');
      });
    });
    const answered = await server.app.inject(url);
    expect(answered.statusCode).toBe(status);
    expect(answered.json()).toEqual({ status, error });
  });

  test('is logged with its cause when it is our fault', async () => {
    const { server } = await servers.start({}, (app) => {
      app.get('/broken', async () => {
        throw new Error('the database at 10.0.0.1');
      });
    });
    await server.app.inject('/broken');
    expect(servers.lines.join()).toContain('the database at 10.0.0.1');
  });
});
