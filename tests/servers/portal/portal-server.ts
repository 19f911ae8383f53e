// The portal on a real HTTPS server of its own, for tests that look at pages.
import { BlockList } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createAuthority } from '../../../dev/certificates.ts';
import { freePort } from '../../../dev/ports.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import { certificateFromFiles } from '../../../src/servers/certificate.ts';
import { createHttpsServer } from '../../../src/servers/https.ts';
import { portal } from '../../../src/servers/portal/portal.ts';
import type { PortalSettings } from '../../../src/servers/portal/settings.ts';
import { ScriptedAccess } from './scripted-access.ts';

export const contact = 'the platform team (platform@example.com)';

/** a peer whose X-Forwarded-For is believed */
export const proxyAddress = '10.0.0.1';

/** `localhost`, as no resolver is needed for it and browsers treat it like any other secure origin. */
export interface PortalServer {
  readonly url: string;
  /** to inject requests into */
  readonly app: FastifyInstance;
  readonly access: ScriptedAccess;
  /** what pages take for now; a test may set it */
  readonly clock: { now: Date };
  readonly certFile: string;
  close(): Promise<void>;
}

export async function startPortal(
  settings: Partial<Pick<PortalSettings, 'passwordChangeUrl'>> = {},
): Promise<PortalServer> {
  const folder = temporaryFolder('latchkey-portal');
  const authority = await createAuthority(join(folder.path, 'ca'), 'Latchkey test CA');
  const { certFile, keyFile } = await authority.issue({
    name: 'portal',
    commonName: 'portal',
    hosts: ['localhost'],
  });
  const port = await freePort();
  const externalUrl = new URL(`https://localhost:${port}`);
  const proxies = new BlockList();
  proxies.addAddress(proxyAddress);
  const access = new ScriptedAccess();
  const clock = { now: new Date('2026-03-01T14:14:30Z') };
  const log = pino({ level: 'silent' });
  const certificate = await certificateFromFiles({ certificateFile: certFile, keyFile }, log);
  const server = createHttpsServer({ host: '127.0.0.1', port, certificate }, log);
  await server.app.register(portal, {
    access,
    externalUrl,
    contact,
    proxies,
    now: () => clock.now,
    ...settings,
  });
  await server.listen();
  return {
    url: externalUrl.origin,
    app: server.app,
    access,
    clock,
    certFile,
    async close() {
      await server.close();
      folder.remove();
    },
  };
}
