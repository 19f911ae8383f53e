// The licence as every replica knows it: the Secret of one name, watched, and verified with the vendor's key.
import type { Logger } from 'pino';
import type { LicenseContent, LicenseReading } from '../../domain/license.ts';
import { LICENSE_SECRET } from '../../domain/license-texts.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { reflect } from '../../kubernetes/reflector.ts';
import { Store } from '../../kubernetes/store.ts';
import type { LicenseKey } from '../../license/keys.ts';
import { LicenseError } from '../../license/license-error.ts';
import { verifyLicense } from '../../license/verify.ts';
import { licenseClock } from './clock.ts';
import { licenseResource, type CachedLicense } from './view.ts';

export interface LicenseOptions {
  readonly client: KubernetesClient;
  /** The operator's. */
  readonly namespace: string;
  /** The vendor's; undefined where no licence is required. */
  readonly keys: readonly LicenseKey[] | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface RequiredLicense {
  /** Resolves when the Secret has been read, or is known not to be there; or when `signal` aborts. */
  start(): Promise<void>;
  reading(): LicenseReading;
  /** Told of every other content of the Secret; not of the time, which `reading` has. */
  onChange(listener: () => void): void;
}

export function requiredLicense({ client, namespace, keys, log, signal }: LicenseOptions): RequiredLicense {
  const clock = licenseClock(client);
  const listeners: (() => void)[] = [];
  let content: LicenseContent = { kind: keys ? 'Missing' : 'NotRequired' };
  /** Verifying takes a moment, and of two changes the later one has the last word. */
  let latest: Promise<void> = Promise.resolve();

  async function take(cached: CachedLicense | undefined, vendor: readonly LicenseKey[]): Promise<void> {
    content = await contentOf(cached, vendor);
    if (content.kind === 'Verified') {
      const { id, customer, users, notBefore, expiresAt } = content.license;
      log.info({ event: 'License', id, customer, users, notBefore, expiresAt }, 'licence');
    } else if (content.kind === 'Invalid')
      log.error({ event: 'LicenseRefused', problem: content.problem }, 'the licence does not count');
    else log.error({ event: 'LicenseMissing', secret: LICENSE_SECRET }, 'there is no licence');
    for (const listener of listeners) listener();
  }

  return {
    async start() {
      if (!keys) return;
      const store = new Store<CachedLicense>();
      store.onChange((before, after) => {
        if (before && after && before.data === after.data && isSameTime(before, after)) return;
        latest = latest.then(() => take(after, keys));
      });
      const { synced, done } = reflect(client, licenseResource(namespace), store, { log, signal });
      await Promise.race([synced, done]);
      if (store.size === 0 && !signal.aborted) await take(undefined, keys);
      await latest;
    },
    reading: () => ({ content, ...clock() }),
    onChange: (listener) => void listeners.push(listener),
  };
}

function isSameTime(a: CachedLicense, b: CachedLicense): boolean {
  return a.writtenAt?.getTime() === b.writtenAt?.getTime();
}

async function contentOf(
  cached: CachedLicense | undefined,
  keys: readonly LicenseKey[],
): Promise<LicenseContent> {
  if (cached?.data === undefined || cached.data === '') return { kind: 'Missing' };
  try {
    const license = await verifyLicense(Buffer.from(cached.data, 'base64').toString('utf8'), keys);
    return { kind: 'Verified', license, writtenAt: cached.writtenAt };
  } catch (error) {
    if (error instanceof LicenseError) return { kind: 'Invalid', problem: error.message };
    throw error;
  }
}
