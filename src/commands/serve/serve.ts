// `latchkey serve`: puts the parts together, starts them in order, and stops them in the reverse order.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { CannotMint } from '../../domain/observed.ts';
import { orphansController } from '../../controllers/orphans/controller.ts';
import { policyController } from '../../controllers/policy/controller.ts';
import { keyIds } from '../../controllers/signing-keys/key-ids.ts';
import { signingKeys } from '../../controllers/signing-keys/signing-keys.ts';
import { tendSigningKeys } from '../../controllers/signing-keys/tend.ts';
import { applier } from '../../controllers/users/apply.ts';
import { usersController } from '../../controllers/users/controller.ts';
import { ledger } from '../../controllers/users/ledger.ts';
import { reconciler } from '../../controllers/users/reconcile.ts';
import { signer } from '../../issuer/signer.ts';
import { kubernetesClient } from '../../kubernetes/client.ts';
import { MAX_SKEW_MS } from '../../kubernetes/clock-skew.ts';
import { watchClock } from '../../kubernetes/clock-watch.ts';
import { loadConnection } from '../../kubernetes/credentials.ts';
import { elect } from '../../kubernetes/leader.ts';
import { startCaches } from '../../observation/caches.ts';
import type { Surroundings } from '../../observation/observe.ts';
import { attempts } from '../../sessions/attempts.ts';
import { ownAccess } from '../../sessions/own-access.ts';
import { signIn } from '../../sessions/sign-in.ts';
import { discovery } from '../../servers/discovery/routes.ts';
import { registerHealth } from '../../servers/health.ts';
import { createHttpsServer } from '../../servers/https.ts';
import { portal } from '../../servers/portal/portal.ts';
import { parseExternalUrl, parsePasswordChangeUrl } from '../../servers/portal/settings.ts';
import { directoryOf } from './directory.ts';
import type { ServeSettings } from './settings.ts';

/** The Lease that the replicas agree on. */
const LEASE = 'latchkey-leader';

/**
 * Runs until `signal` aborts.
 * @throws where a setting cannot be used, or the cluster cannot be reached at the start: the kubelet tries again.
 */
export async function serve(settings: ServeSettings, log: Logger, signal: AbortSignal): Promise<void> {
  const { namespace } = settings;
  const externalUrl = parseExternalUrl(settings.externalUrl);
  const passwordChangeUrl =
    settings.passwordChangeUrl === undefined ? undefined : parsePasswordChangeUrl(settings.passwordChangeUrl);

  const client = kubernetesClient(await loadConnection(settings.kubeconfig));
  const directory = directoryOf(client, settings);
  const clock = watchClock(client);
  // The watches outlive the signal: what is under way when it comes still needs them.
  const watches = new AbortController();
  const keys = signingKeys({
    client,
    namespace,
    rotationIntervalMs: settings.keyRotationInterval,
    log,
    signal: watches.signal,
  });
  const caches = startCaches(client, { log, signal: watches.signal });

  const cannotMint = (): CannotMint | undefined => (clock.skewed() ? CLOCK_SKEW : keys.cannotMint());
  const written = ledger();
  const surroundings: Surroundings = {
    caches,
    settings: { portal: externalUrl.origin, operatorNamespace: namespace },
    cannotMint,
    publishedKeys: keyIds(keys.keyring),
    written: written.written,
  };

  const apply = applier({
    client,
    caches,
    ledger: written,
    signer: signer(keys.keyring, settings.issuerUrl),
    log,
  });
  const users = usersController({
    caches,
    ledger: written,
    reconcile: reconciler({ client, surroundings, apply, log }),
    isLeading: () => leader.isLeading(),
    log,
  });
  const policy = policyController({
    client,
    caches,
    cannotMint,
    initial: {
      enabled: true,
      accessToken: {
        ttl: settings.tokenTtl,
        minRemaining: settings.tokenMinRemaining,
        audiences: settings.tokenAudiences,
      },
    },
    log,
  });
  const orphans = orphansController({ client, caches, isLeading: () => leader.isLeading(), log });

  const tendKeys = tendSigningKeys(keys);
  const lookAgain = () => {
    policy.lookAgain();
    users.lookAtAll();
  };
  keys.onChange(lookAgain);
  clock.onChange((skewed) => {
    if (skewed) log.error({ event: 'ClockSkew', ...skewed }, CLOCK_SKEW.message);
    else log.info({ event: 'ClockAgrees' }, 'the clocks agree again');
    lookAgain();
  });

  const server = await createHttpsServer(
    { ...settings.listenAddress, certificateFile: settings.tlsCertFile, keyFile: settings.tlsKeyFile },
    log,
  );
  registerHealth(server.app, {
    live: [],
    ready: [{ name: 'caches', healthy: () => isSynced }],
  });
  await server.app.register(discovery, { issuerUrl: settings.issuerUrl, keyring: keys.keyring });
  await server.app.register(portal, {
    access: {
      ...ownAccess({ client, surroundings, log }),
      signIn: signIn({
        client,
        directory,
        surroundings,
        attempts: attempts({
          perUser: settings.signInAttemptsPerUser,
          perAddress: settings.signInAttemptsPerAddress,
          windowMs: settings.signInWindow,
        }),
        log,
      }),
    },
    externalUrl,
    contact: settings.contact,
    ...(passwordChangeUrl && { passwordChangeUrl }),
    proxies: settings.trustedProxies,
    now: () => new Date(),
  });

  let isSynced = false;
  const port = await server.listen();
  log.info({ port, portal: externalUrl.origin, issuer: settings.issuerUrl }, 'listening');
  await Promise.all([keys.start(), caches.synced]);
  isSynced = true;
  log.info({ users: caches.users.size }, 'caches are complete');

  const leader = elect({
    client,
    namespace,
    name: LEASE,
    identity: `${hostname()}_${randomUUID()}`,
    leaseMs: settings.leaseDuration,
    log,
    signal,
    lead: async (term) => {
      await Promise.all([users.run(term), policy.run(term), orphans.run(term), tendKeys(term)]);
    },
  });
  await leader.done;
  await server.close();
  await directory.close();
  watches.abort();
  await caches.done;
  await client.close();
  log.info('stopped');
}

const CLOCK_SKEW: CannotMint = {
  reason: 'ClockSkew',
  message: `The clock of Latchkey and that of the API server are more than ${MAX_SKEW_MS / 1_000} s apart, so no token is minted. Set the clocks of both machines by NTP.`,
};
