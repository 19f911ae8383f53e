// A server that misbehaves in ways that no real directory can be brought to: silent, malformed or malicious.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { afterTest } from '../../support/after-test.ts';
import { portOf } from './proxy.ts';

export interface FakeServer {
  readonly port: number;
  /** Everything that clients sent, without TLS where the server has it. */
  received(): Buffer;
}

/**
 * It goes when the test ends.
 * @param answer sent after every chunk that a client sends; undefined never answers
 * @param tls speaks TLS from the first byte
 */
export async function startFakeServer(answer: Buffer | undefined, tls?: TlsOptions): Promise<FakeServer> {
  const received: Buffer[] = [];
  const open = new Set<Socket>();
  const serve = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      if (answer) socket.write(answer);
    });
  };
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { port: portOf(server.address()), received: () => Buffer.concat(received) };
}
