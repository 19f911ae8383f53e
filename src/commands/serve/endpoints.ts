// What every replica answers on its HTTPS port: health, discovery, questions about tokens, the portal.
import type { Logger } from 'pino';
import type { Directory } from '../../directory/directory.ts';
import { endpoints as issuerEndpoints } from '../../issuer/discovery.ts';
import { tokenVerifier } from '../../issuer/verify.ts';
import { countAnswers } from '../../servers/count-answers.ts';
import type { CertificateSource } from '../../servers/certificate.ts';
import { discovery } from '../../servers/discovery/routes.ts';
import { registerHealth, type HealthChecks } from '../../servers/health.ts';
import { createHttpsServer, type HttpsServer } from '../../servers/https.ts';
import { introspection } from '../../servers/introspection/routes.ts';
import { pathOf } from '../../servers/path-of.ts';
import { portal } from '../../servers/portal/portal.ts';
import { parseExternalUrl, parsePasswordChangeUrl } from '../../servers/portal/settings.ts';
import { revocation } from '../../servers/revocation/routes.ts';
import { tokenReview } from '../../servers/token-review/routes.ts';
import { attempts } from '../../sessions/attempts.ts';
import { ownAccess } from '../../sessions/own-access.ts';
import { signIn } from '../../sessions/sign-in.ts';
import { revocation as sessionRevocation } from '../../verification/revocation.ts';
import { verification as tokenVerification } from '../../verification/verification.ts';
import type { Replica } from './replica.ts';
import type { ServeSettings } from './settings.ts';

export interface EndpointsOptions {
  readonly certificate: CertificateSource;
  readonly directory: Directory;
  readonly health: HealthChecks;
  readonly log: Logger;
}

/** @throws where an address of the settings cannot be used */
export async function endpoints(
  { client, caches, keys, callers, count, surroundings, tell, now }: Replica,
  settings: ServeSettings,
  { certificate, directory, health, log }: EndpointsOptions,
): Promise<HttpsServer> {
  const server = createHttpsServer({ ...settings.listenAddress, certificate }, log);
  registerHealth(server.app, health);
  const { issuerUrl } = settings;
  const { authenticate } = callers;
  const urls = issuerEndpoints(issuerUrl);
  const counted = [
    [pathOf(urls.tokenReview), 'token-review'],
    [pathOf(urls.introspection), 'introspection'],
    [pathOf(urls.revocation), 'revocation'],
  ] as const;
  countAnswers(server.app, new Map(counted), count.verifierAnswered);
  await server.app.register(discovery, { issuerUrl, keyring: keys.keyring });
  const verifyToken = tokenVerifier(keys.keyring, issuerUrl);
  const verification = tokenVerification({ client, surroundings, verifyToken, keys, count, log });
  await server.app.register(tokenReview, {
    issuerUrl,
    authenticate,
    verification,
    namePrefix: settings.tokenReviewPrefix,
    apiServerAudience: settings.apiServerAudience,
  });
  await server.app.register(introspection, { issuerUrl, authenticate, verification });
  const endSessionOf = sessionRevocation({ client, caches, verification, tell, log });
  await server.app.register(revocation, { issuerUrl, endSessionOf });
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
        now,
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
