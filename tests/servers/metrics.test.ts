// The plain HTTP server of the metrics: it answers one question, and takes nothing else from anybody.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { createLog } from '../../src/log.ts';
import { createMetricsServer, type MetricsServer } from '../../src/servers/metrics.ts';

let server: MetricsServer;
let port: number;
let lines: string[];
let scrape: () => Promise<string>;

beforeEach(async () => {
  lines = [];
  scrape = () => Promise.resolve('latchkey_leader 1\n');
  const log = createLog('info', { write: (line) => void lines.push(line) });
  server = createMetricsServer({ host: '127.0.0.1', port: 0 }, () => scrape(), log);
  port = await server.listen();
});
afterEach(() => server.close());

const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);

/** What comes back for these bytes until the connection ends. */
function send(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

describe('a question', () => {
  test('for /metrics is answered in the format of Prometheus', async () => {
    const answer = await get('/metrics?collect[]=all');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.text()).toBe('latchkey_leader 1\n');
  });

  test.each(['/', '/metrics/', '/metrics/x', '/livez', '/%6detrics', '//metrics', '/..//metrics'])(
    'for %s is a 404',
    async (path) => {
      expect(await send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1.1 404 /,
      );
    },
  );

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('by %s is a 405', async (method) => {
    expect(await send(`${method} /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 405 [\s\S]*allow: GET/i,
    );
  });

  test('with a body ends the connection, and the body is not read', async () => {
    const answer = await send('GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhello');
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toMatch(/connection: close/i);
  });

  test('that is no HTTP, or has too many headers, is refused', async () => {
    expect(await send('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    const padded = `GET /metrics HTTP/1.1\r\nHost: x\r\nX-Padding: ${'x'.repeat(9_000)}\r\n\r\n`;
    expect(await send(padded)).toMatch(/^HTTP\/1.1 431 /);
  });
});

test('scrapes that come at once are made once', async () => {
  let made = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  scrape = () => {
    made += 1;
    return promise;
  };
  const request = 'GET /metrics HTTP/1.1\r\nHost: x\r\n';
  // In one piece, so that all three are there before the first is answered.
  const answers = send(`${request}\r\n${request}\r\n${request}Connection: close\r\n\r\n`);
  await waitUntil('the scrape', 60_000, () => made > 0);
  resolve('latchkey_leader 0\n');
  expect((await answers).match(/^latchkey_leader 0$/gm)).toHaveLength(3);
  expect(made).toBe(1);
  await get('/metrics');
  expect(made).toBe(2);
});

test('a scrape that fails is a 500 that says nothing, and a line in the log', async () => {
  scrape = () => Promise.reject(new Error('a figure of the inside'));
  const answer = await get('/metrics');
  expect(answer.status).toBe(500);
  expect(await answer.text()).toBe('Internal Server Error\n');
  expect(lines).toHaveLength(1);
  scrape = () => Promise.resolve('latchkey_leader 1\n');
  expect((await get('/metrics')).status).toBe(200);
});

test('closing does not wait for a connection that is kept', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  const ended = text(socket);
  await get('/metrics');
  await server.close();
  await ended;
  // For the hook that closes it after every test.
  server = createMetricsServer({ host: '127.0.0.1', port: 0 }, () => scrape(), createLog('error'));
  await server.listen();
});

test('a port that is taken is an error at the start', async () => {
  const second = createMetricsServer({ host: '127.0.0.1', port }, scrape, createLog('error'));
  await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
