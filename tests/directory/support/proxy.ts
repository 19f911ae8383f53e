// A TCP proxy before a directory: records what clients send, counts them, and lets a test act in the middle.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { afterTest } from '../../support/after-test.ts';

export interface ProxyOptions {
  readonly to: number;
  /** Where it listens; 127.0.0.1 by default. */
  readonly host?: string;
  /** Runs before a client's bytes are passed on. Connections and chunks count from 1. */
  readonly beforePassing?: (connection: number, chunk: number) => Promise<void>;
}

export interface Proxy {
  readonly port: number;
  /** Everything that clients sent, as it went over the wire. */
  sent(): Buffer;
  connections(): number;
  /** The most connections that were open at one time. */
  mostAtOnce(): number;
}

/** It goes when the test ends. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { to, host = '127.0.0.1', beforePassing } = options;
  const chunks: Buffer[] = [];
  const open = new Set<Socket>();
  let connections = 0;
  let mostAtOnce = 0;

  async function serve(client: Socket): Promise<void> {
    connections += 1;
    const connection = connections;
    open.add(client);
    mostAtOnce = Math.max(mostAtOnce, open.size);
    const upstream = connect(to, '127.0.0.1');
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.on('close', () => {
      open.delete(client);
      upstream.destroy();
    });
    upstream.pipe(client);
    const passing: AsyncIterable<Buffer> = client;
    let count = 0;
    for await (const chunk of passing) {
      chunks.push(chunk);
      count += 1;
      await beforePassing?.(connection, count);
      upstream.write(chunk);
    }
  }

  const server = createServer((client) => {
    // A connection that either side breaks off ends the loop; both ends are destroyed then.
    serve(client).catch(() => client.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  afterTest(async () => {
    for (const client of open) client.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    port: portOf(server.address()),
    sent: () => Buffer.concat(chunks),
    connections: () => connections,
    mostAtOnce: () => mostAtOnce,
  };
}

export function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  return address.port;
}
