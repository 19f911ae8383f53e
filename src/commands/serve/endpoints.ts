// What every replica answers on its HTTPS port: health, discovery, the portal.
import type { Logger } from 'pino';
import type { Directory } from '../../directory/directory.ts';
import { discovery } from '../../servers/discovery/routes.ts';
import { registerHealth, type HealthChecks } from '../../servers/health.ts';
import { createHttpsServer, type HttpsServer } from '../../servers/https.ts';
import { portal } from '../../servers/portal/portal.ts';
import { parseExternalUrl, parsePasswordChangeUrl } from '../../servers/portal/settings.ts';
import { attempts } from '../../sessions/attempts.ts';
import { ownAccess } from '../../sessions/own-access.ts';
import { signIn } from '../../sessions/sign-in.ts';
import type { Replica } from './replica.ts';
import type { ServeSettings } from './settings.ts';

export interface EndpointsOptions {
  readonly directory: Directory;
  readonly health: HealthChecks;
  readonly log: Logger;
}

/** @throws where the certificate or an address of the settings cannot be used */
export async function endpoints(
  { client, keys, surroundings, tell }: Replica,
  settings: ServeSettings,
  { directory, health, log }: EndpointsOptions,
): Promise<HttpsServer> {
  const server = await createHttpsServer(
    { ...settings.listenAddress, certificateFile: settings.tlsCertFile, keyFile: settings.tlsKeyFile },
    log,
  );
  registerHealth(server.app, health);
  await server.app.register(discovery, { issuerUrl: settings.issuerUrl, keyring: keys.keyring });
  await server.app.register(portal, {
    access: {
      ...ownAccess({ client, surroundings, tell }),
      signIn: signIn({
        client,
        directory,
        surroundings,
        attempts: attempts({
          perUser: settings.signInAttemptsPerUser,
          perAddress: settings.signInAttemptsPerAddress,
          windowMs: settings.signInWindow,
        }),
        tell,
        log,
      }),
    },
    externalUrl: parseExternalUrl(settings.externalUrl),
    contact: settings.contact,
    ...(settings.passwordChangeUrl !== undefined && {
      passwordChangeUrl: parsePasswordChangeUrl(settings.passwordChangeUrl),
    }),
    proxies: settings.trustedProxies,
    now: () => new Date(),
  });
  return server;
}
