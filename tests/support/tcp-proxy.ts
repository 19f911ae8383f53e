// A TCP proxy that can stop forwarding while its connections stay open, as a firewall that has forgotten them does.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections so far. */
  connections(): number;
  /**
   * Those that are open now pass nothing more in either direction, and nobody is told; later ones are not touched.
   * @param only the number of a connection, in the order in which they came, from 1
   */
  freeze(only?: number): void;
  /** Breaks a connection off, on both sides. */
  cut(only: number): void;
  /** Connections pass nothing, later ones too, until `thaw`. */
  freezeAll(): void;
  /** Connections pass everything again, also what has waited. */
  thaw(): void;
  close(): Promise<void>;
}

/** Passes connections on to that port of 127.0.0.1. */
export async function startTcpProxy(to: number): Promise<TcpProxy> {
  const pairs = new Map<number, readonly [Socket, Socket]>();
  let connections = 0;
  let frozen = false;

  const stop = ([client, upstream]: readonly [Socket, Socket]) => {
    client.unpipe(upstream).pause();
    upstream.unpipe(client).pause();
  };
  const pass = ([client, upstream]: readonly [Socket, Socket]) => {
    // A pair that was not frozen passes what comes once, too.
    client.unpipe(upstream).pipe(upstream);
    upstream.unpipe(client).pipe(client);
  };

  const server = createServer((client) => {
    connections += 1;
    const number = connections;
    const pair = [client, connect(to, '127.0.0.1')] as const;
    const end = () => {
      pairs.delete(number);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    pairs.set(number, pair);
    if (frozen) stop(pair);
    else pass(pair);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const freeze = (only?: number) => {
    for (const [number, pair] of pairs) if (only === undefined || number === only) stop(pair);
  };
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    freeze,
    cut: (only) => void pairs.get(only)?.[0].destroy(),
    freezeAll() {
      frozen = true;
      freeze();
    },
    thaw() {
      frozen = false;
      for (const pair of pairs.values()) pass(pair);
    },
    async close() {
      for (const [client] of pairs.values()) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
