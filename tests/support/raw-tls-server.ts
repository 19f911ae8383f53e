// A TLS server that says byte by byte what a test wants: no HTTP server can be made to break its own protocol.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, type Socket } from 'node:net';
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls';
import { createAuthority } from '../../dev/certificates.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';

export interface Pem {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** For 127.0.0.1, ::1 and localhost. */
export async function serverPem(): Promise<Pem> {
  const folder = temporaryFolder('latchkey-raw-tls');
  try {
    const authority = await createAuthority(folder.path, 'raw TLS');
    const { certFile, keyFile } = await authority.issue({
      name: 'server',
      commonName: 'server',
      hosts: ['127.0.0.1', '::1', 'localhost'],
    });
    return {
      ca: readFileSync(authority.certFile, 'utf8'),
      cert: readFileSync(certFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
    };
  } finally {
    folder.remove();
  }
}

export interface RawServer {
  readonly port: number;
  /** TCP connections so far. */
  connections(): number;
  /** Those that are open now. */
  open(): number;
  /** The request lines that came, in their order. */
  readonly requests: string[];
  /** Called when the head of a request has come; `nth` counts from 1 on each connection. */
  onRequest: (socket: TLSSocket, line: string, nth: number) => void;
  /** Called with each TCP connection, before TLS. */
  onConnection: (socket: Socket, nth: number) => void;
  onSecure: (socket: TLSSocket) => void;
  close(): Promise<void>;
}

export async function startRawServer(
  pem: Pem,
  { host = '127.0.0.1', port = 0, ...options }: TlsOptions & { host?: string; port?: number } = {},
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const listener = createServer({ ...pem, ...options }, (socket) => {
    socket.on('error', () => undefined);
    server.onSecure(socket);
    let text = '';
    let nth = 0;
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const line = text.slice(0, text.indexOf(' HTTP/1.1'));
        const length = Number(/content-length: (\d+)/.exec(text.slice(0, end))?.[1] ?? 0);
        text = text.slice(end + 4 + length);
        nth += 1;
        server.requests.push(line);
        server.onRequest(socket, line, nth);
      }
    });
  });
  listener.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    server.onConnection(socket, connections);
  });
  listener.on('tlsClientError', () => undefined);
  listener.listen(port, host);
  await once(listener, 'listening');
  const server: RawServer = {
    port: (listener.address() as AddressInfo).port,
    connections: () => connections,
    open: () => sockets.size,
    requests: [],
    onRequest: () => undefined,
    onConnection: () => undefined,
    onSecure: () => undefined,
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!listener.listening) return;
      listener.close();
      await once(listener, 'close');
    },
  };
  return server;
}
