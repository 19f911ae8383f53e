// What one caller may ask of the server, and how long it may take.
import { once } from 'node:events';
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

  describe('on connections, beyond which', () => {
    const CAP = 8;
    const keptAlive = get.replace('Connection: close\r\n', '');

    test('those that say nothing make room for who has something to ask', async () => {
      const { port } = await servers.start({ connections: CAP });
      const silent = await Promise.all(Array.from({ length: CAP }, () => servers.handshake(port)));
      const gone = Promise.all(silent.map((socket) => ended(socket)));
      for (let time = 0; time < CAP; time++) expect(await servers.answer(port, get)).toMatch(/hello$/);
      for (const socket of silent) socket.destroy();
      await gone;
    });

    test('those that do not even begin their handshake do, too', async () => {
      const { port } = await servers.start({ connections: CAP });
      const silent = Array.from({ length: CAP }, () => connectTcp(port, '127.0.0.1'));
      await Promise.all(silent.map((socket) => once(socket, 'connect')));
      const gone = ended(silent[0]!);
      expect(await servers.answer(port, get)).toMatch(/hello$/);
      await gone;
      for (const socket of silent) socket.destroy();
    });

    test('one that asks again and again stays, and the one goes that has been silent for longest', async () => {
      const { port } = await servers.start({ connections: 2 });
      const busy = await servers.handshake(port);
      let silent = await servers.handshake(port);
      for (let time = 0; time < 3; time++) {
        busy.write(keptAlive);
        const [answer] = await once(busy, 'data');
        expect(String(answer)).toMatch(/hello$/);
        const gone = ended(silent);
        silent = await servers.handshake(port);
        await gone;
      }
      silent.destroy();
      busy.destroy();
    });

    test('those that never read what they have asked for make room, too', async () => {
      const { port } = await servers.start({ connections: CAP }, (app) => {
        app.get('/large', async () => 'x'.repeat(1_000_000));
      });
      const deaf = await Promise.all(Array.from({ length: CAP }, () => servers.handshake(port)));
      for (const socket of deaf) {
        socket.on('error', () => undefined).pause();
        socket.write(keptAlive.replace('GET /', 'GET /large').repeat(20));
      }
      for (let time = 0; time < CAP; time++) expect(await servers.answer(port, get)).toMatch(/hello$/);
      for (const socket of deaf) socket.destroy();
    });
  });
});
