// A real HTTPS server on a free port with certificates of a test authority, and a client that speaks to it by hand.
import { copyFileSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { createAuthority } from '../../dev/certificates.ts';
import type { Certificate, CertificateAuthority } from '../../dev/certificates.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { certificateFromFiles } from '../../src/servers/certificate.ts';
import { createHttpsServer, httpsLimits } from '../../src/servers/https.ts';
import type { HttpsLimits, HttpsServer } from '../../src/servers/https.ts';

/** Often, so that no test waits long for a new certificate. */
const POLL_MS = 20;

export class TestServers {
  readonly #folder = temporaryFolder('latchkey-https');
  readonly #running: HttpsServer[] = [];
  readonly certificateFile = join(this.#folder.path, 'tls.crt');
  readonly keyFile = join(this.#folder.path, 'tls.key');
  /** what all of them logged, a JSON object each */
  readonly lines: string[] = [];
  #authority: CertificateAuthority | undefined;

  /** Makes a certificate and puts it where the servers read theirs. */
  async install(commonName: string): Promise<void> {
    this.#authority ??= await createAuthority(join(this.#folder.path, 'ca'), 'Latchkey test CA');
    const issued = await this.#authority.issue({ name: commonName, commonName, hosts: ['localhost'] });
    this.#copy(issued);
  }

  #copy({ certFile, keyFile }: Certificate): void {
    copyFileSync(certFile, this.certificateFile);
    copyFileSync(keyFile, this.keyFile);
  }

  async start(limits: Partial<HttpsLimits> = {}, setUp?: (app: HttpsServer['app']) => void) {
    const { certificateFile, keyFile, lines } = this;
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const certificate = await certificateFromFiles({ certificateFile, keyFile }, log, POLL_MS);
    const server = createHttpsServer({ host: '127.0.0.1', port: 0, certificate }, log, {
      ...httpsLimits,
      ...limits,
    });
    server.app.get('/', async () => 'hello');
    server.app.post('/echo', (request, reply) => reply.send(request.body));
    setUp?.(server.app);
    const port = await server.listen();
    this.#running.push(server);
    return { server, port };
  }

  async handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const ca = this.#authority && readFileSync(this.#authority.certFile);
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca, ...options });
    await once(socket, 'secureConnect');
    return socket;
  }

  /** The whole answer to a raw request that asks for the connection to be closed. */
  async answer(port: number, request: string): Promise<string> {
    const socket = await this.handshake(port);
    socket.write(request);
    return text(socket);
  }

  /** Closes those that are still open. */
  async stop(): Promise<void> {
    for (const server of this.#running.splice(0)) await server.close();
  }

  remove(): void {
    this.#folder.remove();
  }
}

export const get = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** Waits until the other side has closed the connection. */
export async function ended(socket: Socket): Promise<void> {
  socket.resume();
  await once(socket, 'close');
}
