// Connections to a server that closes them, speaks out of turn, lets in some and not others, or is gone: whoever asks gets
// the answer to the own request or an error, soon, and nothing is left behind.
import { execFile } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../../dev/ports.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { Connections, type ConnectionsOptions } from '../../../src/kubernetes/http/connections.ts';
import { type Pem, type RawServer, serverPem, startRawServer } from '../../support/raw-tls-server.ts';

const run = promisify(execFile);
const DEADLINE_MS = 60_000;
/** Both ends of each handshake are this process: more of them at once take a busy machine longer than the 5 s that they may. */
const FEW = { most: 16 };
const answerOf = (text: string) =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
/** Answers with the request line, so that everybody can tell whose answer it is. */
const echo = (socket: TLSSocket, line: string) => void socket.write(answerOf(line));

let pem: Pem;
let server: RawServer;
const opened: Connections[] = [];

beforeAll(async () => {
  pem = await serverPem();
});
beforeEach(async () => {
  server = await startRawServer(pem);
  server.onRequest = echo;
});
afterEach(async () => {
  for (const connections of opened.splice(0)) connections.close();
  await server.close();
});

function connectionsTo(
  port: number,
  { host = '127.0.0.1', ...options }: Partial<ConnectionsOptions> & { host?: string } = {},
): Connections {
  const connections = new Connections({
    server: new URL(`https://${host}:${port}`),
    secureContext: createSecureContext({ ca: pem.ca }),
    most: 64,
    idleMs: 30_000,
    ...options,
  });
  opened.push(connections);
  return connections;
}

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
}

async function ask(
  connections: Connections,
  path: string,
  { method = 'GET', body, limitMs = 20_000, signal }: Asked = {},
): Promise<string> {
  const prepare = () => Promise.resolve({ method, path, fields: '', body });
  const late = () => new Error('late');
  const { text } = await connections.ask(prepare, { limitMs, late, signal });
  return text;
}

/** What the server says on a connection that is held comes in one piece, when the server has ended it. */
async function startHoldingProxy(to: number) {
  const held: { client: Socket; upstream: Socket; parts: Buffer[] | undefined }[] = [];
  const proxy = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    const pair = { client, upstream, parts: undefined as Buffer[] | undefined };
    held.push(pair);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream);
    upstream
      .on('data', (chunk: Buffer) => (pair.parts ? pair.parts.push(chunk) : client.write(chunk)))
      .on('end', () => client.end(Buffer.concat(pair.parts ?? [])));
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    hold() {
      for (const pair of held) pair.parts ??= [];
    },
    async close() {
      for (const { client, upstream } of held) {
        client.destroy();
        upstream.destroy();
      }
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

const failureOf = (asked: Promise<unknown>) =>
  asked.then(
    (text) => `answered: ${String(text)}`,
    (error: Error) => error.message,
  );

test('one connection carries what is asked one after another', async () => {
  const connections = connectionsTo(server.port);
  for (let time = 0; time < 50; time++) expect(await ask(connections, `/${time}`)).toBe(`GET /${time}`);
  expect(server.connections()).toBe(1);
});

test('everybody gets the own answer, over no more connections than there may be', async () => {
  const connections = connectionsTo(server.port, { most: 5 });
  const answers = await Promise.all(Array.from({ length: 500 }, (_, at) => ask(connections, `/${at}`)));
  expect(answers).toEqual(Array.from({ length: 500 }, (_, at) => `GET /${at}`));
  expect(server.connections()).toBeLessThanOrEqual(5);
});

test('a connection that the server says it closes is not used again', async () => {
  const connections = connectionsTo(server.port);
  server.onRequest = (socket) =>
    void socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx');
  for (let time = 0; time < 3; time++) expect(await ask(connections, '/')).toBe('x');
  expect(server.connections()).toBe(3);
});

describe('a server that closes an idle connection while a request is under way', () => {
  const closing = (socket: TLSSocket, line: string, nth: number) =>
    nth === 1 ? echo(socket, line) : socket.destroy();

  test('is asked once more for what changes nothing', async () => {
    const connections = connectionsTo(server.port);
    await ask(connections, '/first');
    server.onRequest = closing;
    await expect(ask(connections, '/second')).resolves.toBe('GET /second');
    expect(server.requests).toEqual(['GET /first', 'GET /second', 'GET /second']);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is not asked for a %s again', async (method) => {
    const connections = connectionsTo(server.port);
    await ask(connections, '/first');
    server.onRequest = closing;
    const failed = await failureOf(ask(connections, '/second', { method, body: '{}' }));
    expect(failed).toMatch(/closed the connection|ECONNRESET|EPIPE/);
    expect(server.requests).toEqual(['GET /first', `${method} /second`]);
  });

  test('is not asked again on a connection that was new, nor more than once', async () => {
    const connections = connectionsTo(server.port, { most: 2 });
    server.onRequest = (socket) => void socket.destroy();
    expect(await failureOf(ask(connections, '/new'))).toMatch(/closed the connection|ECONNRESET|EPIPE/);
    expect(server.requests).toEqual(['GET /new']);
    // Two connections that both were idle.
    const waiting: (() => void)[] = [];
    server.onRequest = (socket, line) => {
      waiting.push(() => echo(socket, line));
      if (waiting.length === 2) for (const answer of waiting) answer();
    };
    await Promise.all([ask(connections, '/a'), ask(connections, '/b')]);
    server.onRequest = (socket) => void socket.destroy();
    expect(await failureOf(ask(connections, '/last'))).toMatch(/closed the connection|ECONNRESET|EPIPE/);
    expect(server.requests.filter((line) => line === 'GET /last')).toHaveLength(2);
  });

  test('is not asked again where an answer had begun', async () => {
    const connections = connectionsTo(server.port);
    await ask(connections, '/first');
    server.onRequest = (socket) => void socket.write('H', () => socket.destroy());
    expect(await failureOf(ask(connections, '/second'))).toMatch(/closed the connection|ECONNRESET|EPIPE/);
    expect(server.requests).toEqual(['GET /first', 'GET /second']);
  });
});

describe('bytes that come unasked', () => {
  const EVIL = answerOf('evil');

  test('on an idle connection cost it', async () => {
    const connections = connectionsTo(server.port);
    let idle: TLSSocket | undefined;
    server.onRequest = (socket, line) => {
      idle = socket;
      echo(socket, line);
    };
    await ask(connections, '/first');
    idle?.write(EVIL);
    await waitUntil('the connection to be given up', DEADLINE_MS, () => server.open() === 0);
    await expect(ask(connections, '/second')).resolves.toBe('GET /second');
  });

  test.each([
    ['in one record with it', (socket: TLSSocket, line: string) => void socket.write(answerOf(line) + EVIL)],
    [
      'in a record of their own',
      (socket: TLSSocket, line: string) => {
        socket.write(answerOf(line));
        socket.write(EVIL);
      },
    ],
  ])('behind an answer, %s, are not the answer of whoever waits', async (_name, write) => {
    const proxy = await startHoldingProxy(server.port);
    try {
      const connections = connectionsTo(proxy.port, { most: 1 });
      await ask(connections, '/before');
      server.onRequest = (socket, line) => {
        server.onRequest = echo;
        proxy.hold();
        write(socket, line);
        socket.end();
      };
      const both = Promise.all([ask(connections, '/first'), ask(connections, '/second')]);
      await expect(both).resolves.toEqual(['GET /first', 'GET /second']);
      expect(server.connections()).toBe(2);
    } finally {
      await proxy.close();
    }
  });
});

test('an answer that comes before the request was sent whole costs the connection', async () => {
  const connections = connectionsTo(server.port, { most: 1 });
  server.onRequest = (socket, line) => (line.startsWith('PUT') ? undefined : echo(socket, line));
  server.onSecure = (socket) => {
    server.onSecure = () => undefined;
    socket.once('data', () => {
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    });
  };
  const large = ask(connections, '/large', { method: 'PUT', body: 'x'.repeat(32 * 1024 * 1024) });
  const next = ask(connections, '/next');
  await expect(large).resolves.toBe('');
  await expect(next).resolves.toBe('GET /next');
  expect(server.connections()).toBe(2);
});

test.each(['time limit', 'signal'])('a request that its %s has ended answers nobody else', async (by) => {
  const connections = connectionsTo(server.port, { most: 1 });
  // Its handshake would count, and a busy machine takes its time for it.
  await ask(connections, '/before');
  const life = new AbortController();
  let late: () => void = () => undefined;
  server.onRequest = (socket, line) => {
    server.onRequest = echo;
    late = () => echo(socket, line);
    if (by === 'signal') life.abort(new Error('late'));
  };
  const first = failureOf(ask(connections, '/first', { limitMs: 1_000, signal: life.signal }));
  const second = ask(connections, '/second');
  await expect(first).resolves.toBe('late');
  late();
  await expect(second).resolves.toBe('GET /second');
  expect(getEventListeners(life.signal, 'abort')).toEqual([]);
});

describe('idle connections', () => {
  test('are closed when their time is over', async () => {
    const connections = connectionsTo(server.port, { idleMs: 200 });
    await Promise.all(Array.from({ length: 10 }, (_, at) => ask(connections, `/${at}`)));
    await waitUntil('all to be closed', DEADLINE_MS, () => server.open() === 0);
    await expect(ask(connections, '/again')).resolves.toBe('GET /again');
  });

  test('do not keep a process', async () => {
    const script = `
      import { createSecureContext } from 'node:tls';
      import { Connections } from './src/kubernetes/http/connections.ts';
      const connections = new Connections({
        server: new URL('https://127.0.0.1:${server.port}'),
        secureContext: createSecureContext({ ca: ${JSON.stringify(pem.ca)} }),
        most: 2,
        idleMs: 600_000,
      });
      const prepare = async () => ({ method: 'GET', path: '/', fields: '', body: undefined });
      const { text } = await connections.ask(prepare, { limitMs: 60_000, late: () => new Error('late') });
      console.log(text);
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '../../..'),
      timeout: 60_000,
    });
    expect(stdout).toBe('GET /\n');
  });
});

describe('where connections do not come about', () => {
  const all = (connections: Connections, howMany: number) =>
    Promise.all(Array.from({ length: howMany }, (_, at) => failureOf(ask(connections, `/${at}`))));

  test('nothing listens: all who wait are told soon', async () => {
    const began = performance.now();
    const results = await all(connectionsTo(await freePort()), 300);
    expect(results.every((result) => result.includes('ECONNREFUSED'))).toBe(true);
    // Not when their time is over.
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test.each<[string, Partial<ConnectionsOptions>, () => void, RegExp]>([
    [
      'it hangs up',
      {},
      () => (server.onConnection = (socket) => void socket.destroy()),
      /ECONNRESET|disconnected|closed/,
    ],
    ['nobody trusts it', { secureContext: createSecureContext() }, () => undefined, /certificate/],
    ['it is another', { servername: 'api.example.org' }, () => undefined, /certificate/],
  ])(
    '%s: all who wait are told when each connection has been tried once',
    async (_name, options, script, reason) => {
      script();
      const results = await all(connectionsTo(server.port, { ...FEW, ...options }), 300);
      for (const result of results) expect(result).toMatch(reason);
      expect(server.connections()).toBeLessThanOrEqual(FEW.most);
    },
  );

  test('it hangs up after the handshake: nobody waits, and each asks once', async () => {
    server.onSecure = (socket) => void socket.destroy();
    const results = await all(connectionsTo(server.port, FEW), 100);
    for (const result of results) expect(result).toMatch(/closed|ECONNRESET|EPIPE/);
    // One that ends before it was given a request fails nobody's while another is open: on a busy machine that happens.
    expect(server.connections()).toBeLessThanOrEqual(2 * 100);
  });

  test('a server that lets one in and no other is not asked again and again', async () => {
    const connections = connectionsTo(server.port);
    await ask(connections, '/first');
    server.onConnection = (socket) => void socket.destroy();
    const until = performance.now() + 2_000;
    let answers = 0;
    const asking = async () => {
      while (performance.now() < until) {
        await ask(connections, '/more');
        answers += 1;
      }
    };
    await Promise.all(Array.from({ length: 20 }, asking));
    expect(answers).toBeGreaterThan(100);
    // At most those for the first twenty, and as many each second after that.
    expect(server.connections()).toBeLessThanOrEqual(1 + 3 * 20);
    server.onConnection = () => undefined;
  });

  test('it speaks no TLS', async () => {
    const plain = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    const failed = await failureOf(ask(connectionsTo((plain.address() as AddressInfo).port), '/'));
    plain.close();
    expect(failed).toMatch(/wrong version number|packet length too long/);
  });

  test('it speaks nothing but HTTP/2', async () => {
    const other = await startRawServer(pem, { ALPNProtocols: ['h2'] });
    const failed = await failureOf(ask(connectionsTo(other.port), '/'));
    await other.close();
    expect(failed).toMatch(/no application protocol/i);
  });
});

describe('addresses', () => {
  test('one of IPv6 in figures', async () => {
    const other = await startRawServer(pem, { host: '::1' });
    other.onRequest = echo;
    await expect(ask(connectionsTo(other.port, { host: '[::1]' }), '/')).resolves.toBe('GET /');
    await other.close();
  });

  test('a name where only one of its addresses is listened on', async () => {
    for (const { address } of await lookup('localhost', { all: true })) {
      const other = await startRawServer(pem, { host: address });
      other.onRequest = echo;
      await expect(ask(connectionsTo(other.port, { host: 'localhost' }), '/')).resolves.toBe('GET /');
      await other.close();
    }
  });

  test('a name with several addresses where nothing listens is told as such, by a request and a stream', async () => {
    // The names of this machine may have one address only.
    const script = `
      import dns from 'node:dns';
      import { kubernetesClient } from './src/kubernetes/client.ts';
      const addresses = [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }];
      dns.lookup = (_name, _options, told) => told(null, addresses);
      const client = kubernetesClient({
        server: 'https://localhost:${await freePort()}',
        tls: {},
        authorization: async () => ({}),
        forget() {},
      });
      for (const how of ['request', 'stream'])
        console.log(await client[how]({ method: 'GET', path: '/api' }).catch((error) => error.message));
      await client.close();
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '../../..'),
      timeout: 60_000,
    });
    const told = /^GET \/api: connect ECONNREFUSED 127.0.0.1:\d+; connect ECONNREFUSED ::1:\d+$/;
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(told), expect.stringMatching(told)]);
  });
});

test('a server that goes away and comes back in the middle of 500 requests answers each or fails it', async () => {
  const connections = connectionsTo(server.port, FEW);
  let seen = 0;
  server.onRequest = (socket, line) => {
    seen += 1;
    if (seen < 250) echo(socket, line);
  };
  const asked = Promise.all(Array.from({ length: 500 }, (_, at) => failureOf(ask(connections, `/${at}`))));
  await waitUntil('half of them to be answered', DEADLINE_MS, () => seen >= 250);
  const { port } = server;
  await server.close();
  const results = await asked;
  for (const [at, result] of results.entries())
    expect(result).toMatch(
      new RegExp(`^answered: GET /${at}$|ECONNREFUSED|ECONNRESET|EPIPE|closed|disconnected`),
    );
  server = await startRawServer(pem, { port });
  server.onRequest = echo;
  await expect(ask(connections, '/after')).resolves.toBe('GET /after');
});

describe('an end', () => {
  test('that came before lets nothing begin', async () => {
    const asked = ask(connectionsTo(server.port), '/', { signal: AbortSignal.abort(new Error('ended')) });
    await expect(asked).rejects.toThrow('ended');
    expect(server.connections()).toBe(0);
  });

  test.each(['signal', 'close()'])(
    'by %s while a request is under way comes at once, and leaves nothing',
    async (how) => {
      server.onRequest = () => undefined;
      await ends(how, server.port, () => server.requests.length > 0);
      await waitUntil('the connection to be given up', DEADLINE_MS, () => server.open() === 0);
    },
  );

  test.each(['signal', 'close()'])(
    'by %s while a connection is made comes at once, and leaves nothing',
    async (how) => {
      const sockets = new Set<Socket>();
      const silent = createServer((socket) => {
        sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
        socket.resume();
      });
      await once(silent.listen(0, '127.0.0.1'), 'listening');
      try {
        await ends(how, (silent.address() as AddressInfo).port, () => sockets.size > 0);
        await waitUntil('the connection to be given up', DEADLINE_MS, () => sockets.size === 0);
      } finally {
        for (const socket of sockets) socket.destroy();
        silent.close();
      }
    },
  );

  test.each(['signal', 'close()'])('by %s while its credentials are read comes at once', async (how) => {
    const connections = connectionsTo(server.port);
    const life = new AbortController();
    const { promise: read, resolve } = Promise.withResolvers<void>();
    const prepare = () => read.then(() => ({ method: 'GET', path: '/', fields: '', body: undefined }));
    const late = () => new Error('late');
    const asked = failureOf(connections.ask(prepare, { limitMs: 5_000, late, signal: life.signal }));
    if (how === 'signal') life.abort(new Error('ended'));
    else connections.close();
    await expect(asked).resolves.toBe(how === 'signal' ? 'ended' : 'the client is closed');
    resolve();
    await read;
    expect(server.connections()).toBe(0);
    expect(getEventListeners(life.signal, 'abort')).toEqual([]);
  });

  test('before it was asked for is an error, and nothing is read or sent', async () => {
    const connections = connectionsTo(server.port);
    connections.close();
    let isRead = false;
    const prepare = () => {
      isRead = true;
      return Promise.reject(new Error('read'));
    };
    const limits = { limitMs: 5_000, late: () => new Error('late'), signal: undefined };
    expect(await failureOf(connections.ask(prepare, limits))).toBe('the client is closed');
    expect(isRead).toBe(false);
  });

  async function ends(how: string, port: number, isThere: () => boolean): Promise<void> {
    const connections = connectionsTo(port, { most: 1 });
    const life = new AbortController();
    const asked = [0, 1].map((at) => failureOf(ask(connections, `/${at}`, { signal: life.signal })));
    await waitUntil('it to be there', DEADLINE_MS, isThere);
    const began = performance.now();
    if (how === 'signal') life.abort(new Error('ended'));
    else connections.close();
    const reason = how === 'signal' ? 'ended' : 'the client is closed';
    await expect(Promise.all(asked)).resolves.toEqual([reason, reason]);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(getEventListeners(life.signal, 'abort')).toEqual([]);
  }
});

test('ten thousand requests leave no listener, timer, socket or memory', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const connections = connectionsTo(server.port, { most: 8 });
  const life = new AbortController();
  const many = async (howMany: number) => {
    for (let time = 0; time < howMany; time += 100)
      await Promise.all(
        Array.from({ length: 100 }, () => ask(connections, '/', { signal: life.signal, limitMs: 600_000 })),
      );
    server.requests.length = 0;
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await many(2_000);
  const after = await many(10_000);
  expect(after - before).toBeLessThan(2_000_000);
  expect(getEventListeners(life.signal, 'abort')).toEqual([]);
  expect(server.connections()).toBeLessThanOrEqual(8);
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
  expect(timers.length).toBeLessThan(10);
});
