// What one caller may ask of the server, and how long it may take.
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ended, get, TestServers } from './running-server.ts';

const servers = new TestServers();
beforeAll(() => servers.install('first'));
afterEach(() => servers.stop());
afterAll(() => servers.remove());

describe('the limits of the HTTPS server', () => {
  test('a body beyond its limit is a 413', async () => {
    const { server } = await servers.start();
    const send = (payload: string) =>
      server.app.inject({ method: 'POST', url: '/echo', headers: { 'content-type': 'text/plain' }, payload });
    expect((await send('x'.repeat(16 * 1024))).statusCode).toBe(200);
    expect((await send('x'.repeat(16 * 1024 + 1))).statusCode).toBe(413);
  });

  test('headers beyond theirs are a 431', async () => {
    const { port } = await servers.start();
    const request = get.replace('\r\n\r\n', `\r\nX-Padding: ${'x'.repeat(17 * 1024)}\r\n\r\n`);
    expect(await servers.answer(port, request)).toMatch(/^HTTP\/1.1 431 /);
  });

  test('a client that does not finish its handshake is cut off', async () => {
    const { port } = await servers.start({ handshakeTimeoutMs: 100 });
    const socket = connectTcp(port, '127.0.0.1');
    await ended(socket);
  });

  test('a client that does not finish its headers is cut off', async () => {
    const { port } = await servers.start({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
    const socket = await servers.handshake(port);
    socket.write('GET / HTTP/1.1\r\nHost: local');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 /);
  });

  test('a client that says nothing at all is cut off', async () => {
    const { port } = await servers.start({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
    await ended(await servers.handshake(port));
  });

  test('a client that does not finish its body is cut off', async () => {
    const { port } = await servers.start({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
    const request =
      'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nshort';
    expect(await servers.answer(port, request)).toMatch(/^HTTP\/1.1 408 /);
  });

  test('a connection beyond the cap is dropped, and those within it go on', async () => {
    const { port } = await servers.start({ connections: 1 });
    const socket = await servers.handshake(port);
    await expect(servers.handshake(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
    socket.write(get);
    expect(await text(socket)).toMatch(/hello$/);
  });
});
