// The client and the connections under it: those that die without a word, those that never come about, and TLS.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createAuthority } from '../../dev/certificates.ts';
import { freePort } from '../../dev/ports.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import type { Connection } from '../../src/kubernetes/credentials.ts';
import { type ScriptedApiServer, startScriptedApiServer } from '../support/scripted-api-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const run = promisify(execFile);
const GET = { method: 'GET', path: '/api/v1/namespaces/ada' } as const;

let server: ScriptedApiServer;
const clients: KubernetesClient[] = [];
const proxies: TcpProxy[] = [];

/** For what a busy machine does in its own time. */
const DEADLINE_MS = 60_000;

function clientOf(connection: Connection): KubernetesClient {
  const client = kubernetesClient(connection);
  clients.push(client);
  return client;
}

/** A client that reaches the scripted server through a proxy. */
async function proxied(): Promise<{ client: KubernetesClient; proxy: TcpProxy }> {
  const proxy = await startTcpProxy(Number(new URL(server.connection.server).port));
  proxies.push(proxy);
  const client = clientOf({ ...server.connection, server: `https://127.0.0.1:${proxy.port}` });
  return { client, proxy };
}

beforeEach(async () => {
  server = await startScriptedApiServer((request, answer) =>
    request.query.get('watch') ? answer.write('first\n') : answer.end('{}'),
  );
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const proxy of proxies.splice(0)) await proxy.close();
  await server.close();
});

const succeeds = (client: KubernetesClient) => () =>
  client.request({ ...GET, timeoutMs: DEADLINE_MS }).then(
    () => true,
    () => false,
  );

test('a connection that has died without a word is replaced after some seconds, not after a quarter of an hour', async () => {
  const { client, proxy } = await proxied();
  await client.request(GET);
  // Until then its connection counts as busy, and the next request would open another.
  await setImmediate();
  proxy.freeze();
  await expect(client.request({ ...GET, timeoutMs: 1_000 })).rejects.toMatchObject({
    code: 'ApiUnreachable',
  });
  await waitUntil('a request to succeed over another connection', DEADLINE_MS, succeeds(client));
  expect(proxy.connections()).toBe(2);
});

test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const)(
  'a %s that is answered leaves its connection to the next one, with whatever it has sent',
  async (method) => {
    const client = clientOf(server.connection);
    const body = { preconditions: { uid: 'uid-ada' } };
    for (let times = 0; times < 5; times++) {
      await client.request({ ...GET, method, ...(method !== 'GET' && { body }) });
      // Until then its connection counts as busy, and the next request would open another.
      await setImmediate();
    }
    expect(server.connections()).toBe(1);
  },
);

test('a request that is given up costs its own connection, and no other', async () => {
  const client = clientOf(server.connection);
  await client.request(GET);
  server.script = () => undefined;
  await expect(client.request({ ...GET, timeoutMs: 500 })).rejects.toMatchObject({ code: 'ApiUnreachable' });
  server.script = (_request, answer) => answer.end('{}');
  const until = performance.now() + 2_000;
  await waitUntil('two seconds to pass in which requests succeed', DEADLINE_MS, async () => {
    await client.request(GET);
    return performance.now() > until;
  });
  expect(server.connections()).toBe(2);
});

test('where nothing listens, a request fails at once', async () => {
  const client = clientOf({ ...server.connection, server: `https://127.0.0.1:${await freePort()}` });
  const began = performance.now();
  await expect(client.request(GET)).rejects.toThrow('ECONNREFUSED');
  // Not the 10 s that it may take.
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('where nobody answers the TLS handshake, requests end in time, and close() does not wait', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  try {
    const client = clientOf({ ...server.connection, server: `https://127.0.0.1:${port}` });
    const began = performance.now();
    const results = await Promise.all(
      Array.from({ length: 300 }, () =>
        client.request({ ...GET, timeoutMs: 500 }).catch((error: Error) => error.message),
      ),
    );
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(new Set(results)).toEqual(new Set(['GET /api/v1/namespaces/ada: no answer within 0.5 s']));
    const waiting = client.request(GET).catch((error: Error) => error.name);
    const closed = performance.now();
    await client.close();
    await expect(waiting).resolves.toBe('ApiUnreachableError');
    expect(performance.now() - closed).toBeLessThan(5_000);
    // A queue that waits for a connection opens no more than its share, and once more when those were given up.
    expect(sockets.size).toBeLessThanOrEqual(2 * 64);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

test('no more requests wait than the memory should hold, and room is made when they are over', async () => {
  const client = clientOf(server.connection);
  server.script = () => undefined;
  const waiting = Array.from({ length: 1_000 }, () =>
    client.request({ ...GET, timeoutMs: 2_000 }).catch((error: Error) => error.message),
  );
  await expect(client.request(GET)).rejects.toThrow('too many requests are waiting for the API server');
  server.script = (_request, answer) => answer.end('{}');
  await Promise.all(waiting);
  await waitUntil('room for another request', DEADLINE_MS, succeeds(client));
});

test('a thousand requests at once all get their answers, over no more connections than there should be', async () => {
  const client = clientOf(server.connection);
  // While one connection is open, nobody fails by another that is late: a busy machine shakes 64 hands for longer than it may.
  await client.request(GET);
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, () => client.request({ ...GET, timeoutMs: DEADLINE_MS })),
  );
  expect(answers).toHaveLength(1_000);
  expect(server.connections()).toBeLessThanOrEqual(64);
});

test('a server whose certificate another authority has signed is not spoken to', async () => {
  const folder = temporaryFolder('latchkey-other-ca');
  const { certFile } = await createAuthority(folder.path, 'another CA');
  // A variable that turns verification off for all of Node must not turn ours off.
  const script = `
    import { readFileSync } from 'node:fs';
    import { kubernetesClient } from './src/kubernetes/client.ts';
    const client = kubernetesClient({
      server: '${server.connection.server}',
      tls: { ca: readFileSync('${certFile}', 'utf8') },
      authorization: async () => ({ authorization: 'Bearer x' }),
      forget() {},
    });
    console.log(await client.request({ method: 'GET', path: '/' }).then(() => 'taken', (error) => error.cause.code));
    await client.close();
  `;
  try {
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    });
    expect(stdout).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE\n');
    expect(server.requests).toHaveLength(0);
  } finally {
    folder.remove();
  }
});

test('a server that another name stands on is not spoken to', async () => {
  const port = new URL(server.connection.server).port;
  const client = clientOf({
    ...server.connection,
    server: `https://127.0.0.1:${port}`,
    tls: { ...server.connection.tls, servername: 'api.example.org' },
  });
  await expect(client.request(GET)).rejects.toThrow("does not match certificate's altnames");
  expect(server.requests).toHaveLength(0);
});

test.each(['cert', 'key'] as const)(
  'a %s that is none is told before anything is asked, and not quoted',
  (part) => {
    const tls = { ...server.connection.tls, [part]: 'hunter2-correct-horse' };
    expect(() => clientOf({ ...server.connection, tls })).toThrow(
      expect.objectContaining({
        code: 'KubeconfigUnusable',
        message: expect.stringMatching(
          /^The certificates in the kubeconfig cannot be used \(ERR_OSSL_[A-Z_]+\)/,
        ),
      }),
    );
  },
);
