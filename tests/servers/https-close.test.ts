// Closing the server: requests end, stragglers are cut off.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ended, get, TestServers } from './running-server.ts';

const servers = new TestServers();
beforeAll(() => servers.install('first'));
afterEach(() => servers.stop());
afterAll(() => servers.remove());

describe('closing the HTTPS server', () => {
  test('lets a request under way end', async () => {
    const gate = Promise.withResolvers<string>();
    const arrived = Promise.withResolvers<void>();
    const { server, port } = await servers.start({}, (app) => {
      app.get('/slow', async () => {
        arrived.resolve();
        return gate.promise;
      });
    });
    const answered = servers.answer(port, get.replace('GET /', 'GET /slow'));
    await arrived.promise;
    const closed = server.close();
    gate.resolve('done in peace');
    expect(await answered).toMatch(/^HTTP\/1.1 200 .*done in peace$/s);
    await closed;
    await expect(servers.handshake(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('cuts off at the deadline what does not end, handshakes included', async () => {
    const { server, port } = await servers.start(
      { closeDeadlineMs: 100, handshakeTimeoutMs: 60_000 },
      (app) => {
        app.get('/never', () => new Promise(() => undefined));
      },
    );
    const raw = connectTcp(port, '127.0.0.1');
    await once(raw, 'connect');
    const socket = await servers.handshake(port);
    socket.write(get.replace('GET /', 'GET /never'));
    const both = Promise.all([ended(raw), ended(socket)]);
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(5000);
    await both;
  });
});
