// Loopback ports: a free one for a server that must be told its port, and whether a server answers on one.
import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { systemCode } from './errors.ts';

// Below the range from which systems take the ports of outgoing connections (32768 and up on Linux, 49152 and up
// elsewhere): between this look and the server's start, and across a restart, no client can be given the port.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A TCP port on 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
}

/** Whether nobody listens there. */
export function isFree(port: number, address = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (systemCode(error) === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

/** Whether a server on this machine takes connections on that port. */
export function isListening(port: number, address = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      if (systemCode(error) === 'ECONNREFUSED') resolve(false);
      else reject(error);
    });
  });
}
