// Loopback ports: a free one for a server that must be told its port, and whether a server answers on one.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { systemCode } from './errors.ts';

// Below the range from which systems take the ports of outgoing connections (32768 and up on Linux, 49152 and up
// elsewhere): between this look and the server's start, and across a restart, no client can be given the port.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/**
 * A TCP port on 127.0.0.1 that nobody listens on now, and that no process is given by this function while this one
 * lives: until the server listens, in seconds, a few hundred servers of a test run would often enough be given one twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await claim(port)) && (await isFree(port))) return port;
  }
}

/** By the UDP port of the same number, which nothing here uses: the kernel gives it to one process, and takes it back. */
function claim(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => {
      socket.close();
      if (systemCode(error) === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    // Nothing is received: it only has to stay open.
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      socket.unref();
      resolve(true);
    });
  });
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
