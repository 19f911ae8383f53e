// Which of several servers is asked, and for how long.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority } from '../../../dev/certificates.ts';
import { freePort } from '../../../dev/ports.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import type { Endpoint } from '../../../src/directory/ldap/connection.ts';
import { connector } from '../../../src/directory/ldap/connector.ts';
import { afterTest } from '../../support/after-test.ts';
import { portOf } from '../support/proxy.ts';

const folder = temporaryFolder('latchkey-connector-test');
let tls: { cert: Buffer; key: Buffer };
let caPem: string;
const never = new AbortController().signal;

beforeAll(async () => {
  const authority = await createAuthority(join(folder.path, 'pki'), 'CA');
  const { certFile, keyFile } = await authority.issue({ name: 's', commonName: 's', hosts: ['127.0.0.1'] });
  tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  caPem = readFileSync(authority.certFile, 'utf8');
});
afterAll(() => folder.remove());

const endpoint = (port: number): Endpoint => ({ host: '127.0.0.1', port, startTls: false, caPem });

/** Takes connections; `stop` ends them and it. */
async function server(): Promise<Endpoint & { stop(): Promise<void>; connections(): number }> {
  let connections = 0;
  const listening = createTlsServer(tls, (socket) => {
    connections += 1;
    socket.on('error', () => socket.destroy());
    stops.push(() => socket.destroy());
  });
  const stops: (() => void)[] = [];
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const stop = async () => {
    for (const end of stops) end();
    if (!listening.listening) return;
    listening.close();
    await once(listening, 'close');
  };
  afterTest(stop);
  return { ...endpoint(portOf(listening.address())), stop, connections: () => connections };
}

/** Takes a connection and says nothing; a real server cannot be made to do that. */
async function silent(): Promise<Endpoint> {
  const open = new Set<{ destroy(): void }>();
  const listening = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  afterTest(async () => {
    for (const socket of open) socket.destroy();
    listening.close();
    await once(listening, 'close');
  });
  return endpoint(portOf(listening.address()));
}

describe('of several servers', () => {
  test('the first that takes the connection is asked, and stays so', async () => {
    const [first, second] = [await server(), await server()];
    const connect = connector([first, second], 5_000);
    const sockets = [await connect(never), await connect(never)];
    await waitUntil('both to have arrived', 60_000, () => first.connections() === 2);
    for (const socket of sockets) socket.destroy();
    expect(second.connections()).toBe(0);
  });

  test('the next one is asked where one is down, and from then on first', async () => {
    const [down, up] = [endpoint(await freePort()), await server()];
    const connect = connector([down, up], 5_000);
    (await connect(never)).destroy();
    const again = await connect(never);
    expect(again.remotePort).toBe(up.port);
    again.destroy();
  });

  test('one that says nothing leaves the others their share of the time', async () => {
    const [mute, up] = [await silent(), await server()];
    const socket = await connector([mute, up], 3_000)(never);
    expect(socket.remotePort).toBe(up.port);
    socket.destroy();
  });

  test('when none is left, the fault of the last is told', async () => {
    const connect = connector([await silent(), endpoint(await freePort())], 2_000);
    await expect(connect(never)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('the time limit', () => {
  test('is that of connecting, and says so', async () => {
    await expect(connector([await silent()], 200)(never)).rejects.toMatchObject({
      fault: 'TooSlow',
      message: 'it took longer than 200 ms to connect',
    });
  });

  test('is over once there is a connection, which ends with its signal alone', async () => {
    const up = await server();
    const controller = new AbortController();
    const socket = await connector([up], 1_500)(controller.signal);
    await expect(once(socket, 'close', { signal: AbortSignal.timeout(2_000) })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(socket.destroyed).toBe(false);
    socket.on('error', () => undefined);
    controller.abort();
    expect(socket.destroyed).toBe(true);
  });

  test('nobody is asked once the signal has aborted', async () => {
    const up = await server();
    await expect(connector([up, up], 300)(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
    expect(up.connections()).toBe(0);
  });
});
