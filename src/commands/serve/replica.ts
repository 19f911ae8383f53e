// What every replica knows of the cluster: the caches, the signing keys, the clocks, and what a decision may rest on.
import type { Logger } from 'pino';
import { chronicle } from '../../chronicle/chronicle.ts';
import type { Tell } from '../../domain/happening.ts';
import type { CannotMint } from '../../domain/observed.ts';
import { requiredLicense, type RequiredLicense } from '../../controllers/license/license.ts';
import { keyIds } from '../../controllers/signing-keys/key-ids.ts';
import {
  servingCertificate,
  type KeptServingCertificate,
} from '../../controllers/serving-certificate/serving-certificate.ts';
import { signingKeys, type SigningKeys } from '../../controllers/signing-keys/signing-keys.ts';
import { permissions, type Permissions } from '../../controllers/holds/permissions.ts';
import { ledger, type Ledger } from '../../controllers/users/ledger.ts';
import type { DirectoryWatch } from '../../directory/watch/watch.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { MAX_SKEW_MS } from '../../kubernetes/clock-skew.ts';
import { watchClock } from '../../kubernetes/clock-watch.ts';
import { eventRecorder, type EventRecorder } from '../../kubernetes/events.ts';
import { publicKeys, type LicenseKey } from '../../license/keys.ts';
import type { Counters } from '../../metrics/counters.ts';
import { startCaches, type Caches } from '../../observation/caches.ts';
import type { Surroundings } from '../../observation/observe.ts';
import { watchCallers, type Callers } from '../../verification/callers/callers.ts';
import { readKeyFile } from '../read-key-file.ts';
import { servedHosts } from './certificate.ts';
import { directoryWatchOf } from './directory.ts';
import type { ServeSettings } from './settings.ts';

export interface Replica {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly keys: SigningKeys;
  /** Where Latchkey makes the certificate of its HTTPS server itself. */
  readonly certificate: KeptServingCertificate | undefined;
  readonly ledger: Ledger;
  /** It runs where this replica leads. */
  readonly directoryWatch: DirectoryWatch;
  readonly callers: Pick<Callers, 'authenticate' | 'freshness'>;
  readonly count: Counters;
  readonly license: RequiredLicense;
  readonly permissions: Permissions;
  readonly surroundings: Surroundings;
  readonly cannotMint: () => CannotMint | undefined;
  /** The time to decide by. */
  readonly now: () => Date;
  readonly events: EventRecorder;
  readonly tell: Tell;
  /** Told when something has changed that the decision about every User depends on, and that no watch tells. */
  onChange(listener: () => void): void;
  /** Resolves when everything has been read once. */
  start(): Promise<void>;
  /** Ends the watches. They outlive the signal to stop, because what is under way when it comes still needs them. */
  stop(): Promise<void>;
}

export interface ReplicaOptions {
  /** Where users sign in. */
  readonly portal: string;
  /** Names this process. */
  readonly instance: string;
  readonly metrics: Counters;
  readonly log: Logger;
}

export function replica(
  client: KubernetesClient,
  settings: ServeSettings,
  { portal, instance, metrics, log }: ReplicaOptions,
): Replica {
  const { namespace } = settings;
  const watches = new AbortController();
  const clock = watchClock(client);
  const watching = { log, signal: watches.signal, onBroken: metrics.watchBroke };
  const rotationIntervalMs = settings.keyRotationInterval;
  const clockIsRight = () => clock.skewed() === undefined;
  const keys = signingKeys({ client, namespace, rotationIntervalMs, clockIsRight, ...watching });
  const license = requiredLicense({ client, namespace, keys: vendorKeys(settings), ...watching });
  const certificate =
    settings.tlsCertFile === undefined
      ? servingCertificate({
          client,
          namespace,
          hosts: servedHosts(settings),
          clockIsRight,
          ...watching,
        })
      : undefined;
  const caches = startCaches(client, watching);
  const callers = watchCallers({ client, namespace, ...watching });
  const directoryWatch = directoryWatchOf(client, settings, {
    caches,
    count: metrics.directory,
    now: clock.now,
    log,
    onBroken: metrics.watchBroke,
  });
  const written = ledger();
  const permitted = permissions();
  const events = eventRecorder(client, { instance, log });
  const cannotMint = () => (clock.skewed() ? CLOCK_SKEW : keys.cannotMint());
  clock.onChange((skewed) => {
    if (skewed) log.error({ event: 'ClockSkew', ...skewed }, CLOCK_SKEW.message);
    else log.info({ event: 'ClockAgrees' }, 'the clocks agree again');
  });
  return {
    client,
    caches,
    keys,
    certificate,
    ledger: written,
    callers,
    count: metrics,
    license,
    permissions: permitted,
    cannotMint,
    now: clock.now,
    events,
    tell: chronicle({ events, count: metrics.happened, log }),
    directoryWatch,
    surroundings: {
      caches,
      settings: { portal, operatorNamespace: namespace },
      license: license.reading,
      cannotMint,
      publishedKeys: keyIds(keys.keyring),
      written: written.written,
      claimed: written.claimed,
      permission: permitted.of,
      directory: (username) => directoryWatch.find(username),
    },
    onChange(listener) {
      keys.onChange(listener);
      license.onChange(listener);
      clock.onChange(listener);
    },
    async start() {
      await Promise.all([
        keys.start(),
        certificate?.start(),
        license.start(),
        callers.start(),
        caches.synced,
      ]);
    },
    async stop() {
      await events.close();
      watches.abort();
      await caches.done;
    },
  };
}

/** @throws {SettingsError} where the file has no key that licences can be verified with */
function vendorKeys({ licensePublicKeyFile: file }: ServeSettings): readonly LicenseKey[] | undefined {
  if (file === undefined) return undefined;
  return readKeyFile('licensePublicKeyFile', file, publicKeys);
}

const CLOCK_SKEW: CannotMint = {
  reason: 'ClockSkew',
  message: `The clock of Latchkey and that of the API server are more than ${MAX_SKEW_MS / 1_000} s apart, so no token is minted. Set the clocks of both machines by NTP.`,
};
