// The signing keys as every replica knows them, and the leader's care for them.
import type { CannotMint } from '../../domain/observed.ts';
import { generateKeyPair } from '../../issuer/key-pair.ts';
import { kept, KeyringError, nextChangeAt, type Keyring } from '../../issuer/keyring.ts';
import { freshness, type Freshness } from '../../kubernetes/freshness.ts';
import { reflect, type ReflectorOptions } from '../../kubernetes/reflector.ts';
import { keyOf, Store } from '../../kubernetes/store.ts';
import { lookAgainAt, type Tended } from '../tend.ts';
import {
  changeKeyring,
  createKeysSecret,
  readKeysSecret,
  SIGNING_KEYS_SECRET,
  type KeysSecretAccess,
} from './secret.ts';
import { keysResource, keysView, type CachedKeys } from './view.ts';

export interface SigningKeysOptions extends KeysSecretAccess, ReflectorOptions {
  /** How long a key signs; at least two hours, which the next one has to be published first. */
  readonly rotationIntervalMs: number;
  /** Where it is wrong, keys are neither made, rotated nor withdrawn: a clock that is a year ahead would do it at once. */
  readonly clockIsRight: () => boolean;
}

export interface SigningKeys extends Tended {
  /** Resolves when the Secret has been read, and made where there was none; or when `signal` aborts. Never rejects. */
  start(): Promise<void>;
  /** Undefined while there are no keys that can be used; `cannotMint` says why. */
  keyring(): Keyring | undefined;
  cannotMint(): CannotMint | undefined;
  /** How current `keyring` is: a withdrawn key must not verify because a watch has stalled. */
  readonly freshness: Freshness;
  /** Reads the Secret now. @throws {KeysSecretError} `KeysSecretMissing` @throws {ApiError} {ApiUnreachableError} */
  refresh(): Promise<void>;
  /** For the leader: makes the keys where there are none, rotates them on schedule, drops those that nothing needs. */
  tend(now: Date): Promise<Date>;
}

/**
 * A Secret that is deleted while Latchkey runs is not written back from memory: whoever deletes signing keys means
 * that they are no good, and to bring them back would undo the one thing that stops a stolen key. The leader makes new
 * ones, at once and loudly; sessions live on. A damaged Secret is left as it is until an admin has dealt with it.
 */
export function signingKeys({
  client,
  namespace,
  rotationIntervalMs,
  clockIsRight,
  ...watching
}: SigningKeysOptions): SigningKeys {
  const { log, signal } = watching;
  const access: KeysSecretAccess = { client, namespace };
  const store = new Store<CachedKeys>();
  const listeners: (() => void)[] = [];
  store.onChange((before, after) => {
    report(before, after);
    for (const listener of listeners) listener();
  });

  const content = () => store.get(keyOf({ namespace, name: SIGNING_KEYS_SECRET }))?.content;
  const keyring = () => {
    const known = content();
    return known instanceof KeyringError ? undefined : known;
  };

  function report(before: CachedKeys | undefined, after: CachedKeys | undefined): void {
    if (!after)
      log.error({ secret: before?.name }, 'the signing keys were deleted; tokens signed with them fail now');
    else if (after.content instanceof KeyringError)
      log.error({ err: after.content }, 'the signing keys cannot be used');
    else log.info({ active: after.content.active.kid, next: after.content.next.kid }, 'signing keys');
  }

  async function create(now: Date): Promise<void> {
    const { secret, mine } = await createKeysSecret(access, now);
    store.merge(keysView(secret));
    if (mine) log.warn({ secret: SIGNING_KEYS_SECRET }, 'there were no signing keys; new ones were made');
  }

  async function keep(now: Date): Promise<void> {
    const fresh = await generateKeyPair();
    store.merge(keysView(await changeKeyring(access, (live) => kept(live, fresh, now, rotationIntervalMs))));
  }

  return {
    async start() {
      const { synced, done } = reflect(client, keysResource(namespace), store, watching);
      await Promise.race([synced, done]);
      if (signal.aborted || content() !== undefined || !clockIsRight()) return;
      await create(new Date()).catch((error: unknown) =>
        log.error({ err: error }, 'no signing keys could be made'),
      );
    },
    keyring,
    freshness: freshness(client, keysResource(namespace), store, watching),
    async refresh() {
      store.merge(keysView(await readKeysSecret(access)));
    },
    cannotMint() {
      const known = content();
      if (known !== undefined && !(known instanceof KeyringError)) return undefined;
      return {
        reason: 'NoSigningKey',
        message: known
          ? 'The signing keys of Latchkey cannot be used. Its log tells an admin what to do.'
          : 'Latchkey has no signing keys yet. This passes within seconds while the operator runs.',
      };
    },
    onChange: (listener) => void listeners.push(listener),
    async tend(now) {
      if (!clockIsRight()) return lookAgainAt(undefined, now);
      try {
        if (content() === undefined && store.resourceVersion !== undefined) await create(now);
        const known = keyring();
        if (known && nextChangeAt(known, rotationIntervalMs) <= now) await keep(now);
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, 'the signing keys could not be kept; trying again');
        return lookAgainAt(undefined, now);
      }
      const known = keyring();
      return lookAgainAt(known && nextChangeAt(known, rotationIntervalMs), now);
    },
  };
}
