// A limit on connections that nobody can use up: of too many, the one goes that has asked nothing for longest.
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Node's own `maxConnections` turns the newest away. So whoever opens as many and says nothing, which takes no
 * credentials, would keep out everybody else: people, verifiers, and the kubelet, which would then restart the leader.
 * @returns those that are open, with those that have not finished their handshake, which Node's own list leaves out
 */
export function atMostConnections(server: Server, most: number): ReadonlySet<Socket> {
  /** The one first that was opened, or has asked something, longest ago. */
  const sockets = new Set<Socket>();
  /** Of a request Node tells only the socket inside TLS, which has the same other end. */
  const byOtherEnd = new Map<string, Socket>();

  server.on('connection', (socket: Socket) => {
    const otherEnd = otherEndOf(socket);
    sockets.add(socket);
    byOtherEnd.set(otherEnd, socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (byOtherEnd.get(otherEnd) === socket) byOtherEnd.delete(otherEnd);
    });
    const [silent] = sockets;
    if (sockets.size <= most || !silent) return;
    sockets.delete(silent);
    silent.destroy();
  });

  server.on('request', ({ socket: inside }: IncomingMessage) => {
    const socket = byOtherEnd.get(otherEndOf(inside));
    if (!socket || !sockets.delete(socket)) return;
    sockets.add(socket);
  });
  return sockets;
}

function otherEndOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
