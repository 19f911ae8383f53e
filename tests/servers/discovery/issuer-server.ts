// The discovery documents on a real HTTPS server of their own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { createAuthority } from '../../../dev/certificates.ts';
import { freePort } from '../../../dev/ports.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import type { Keyring } from '../../../src/issuer/keyring.ts';
import { discovery } from '../../../src/servers/discovery/routes.ts';
import { certificateFromFiles } from '../../../src/servers/certificate.ts';
import { createHttpsServer } from '../../../src/servers/https.ts';

export interface IssuerServer {
  readonly issuerUrl: string;
  /** PEM, of the authority that has signed the server's certificate. */
  readonly ca: string;
  /** Asks for a URL, or for a path below the issuer's. */
  get(url: string, headers?: Record<string, string>): Promise<IssuerAnswer>;
  close(): Promise<void>;
}

export interface IssuerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** @param path of the issuer URL, such as `/identity` */
export async function startIssuer(keyring: () => Keyring | undefined, path = ''): Promise<IssuerServer> {
  const folder = temporaryFolder('latchkey-issuer');
  const authority = await createAuthority(join(folder.path, 'ca'), 'Latchkey test CA');
  const { certFile: certificateFile, keyFile } = await authority.issue({
    name: 'issuer',
    commonName: 'issuer',
    hosts: ['localhost'],
  });
  const ca = readFileSync(authority.certFile, 'utf8');
  const port = await freePort();
  const issuerUrl = `https://localhost:${port}${path}`;
  const log = pino({ level: 'silent' });
  const certificate = await certificateFromFiles({ certificateFile, keyFile }, log);
  const server = createHttpsServer({ host: '127.0.0.1', port, certificate }, log);
  await server.app.register(discovery, { issuerUrl, keyring });
  await server.listen();
  const dispatcher = new Agent({ connect: { ca } });
  return {
    issuerUrl,
    ca,
    async get(url, headers = {}) {
      const answer = await request(url.startsWith('/') ? issuerUrl + url : url, { dispatcher, headers });
      return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
    },
    async close() {
      await dispatcher.close();
      await server.close();
      folder.remove();
    },
  };
}
