// The Secret that the signing keys lie in: made once, changed only as it was read, replaced only on command.
import { LatchkeyError } from '../../errors.ts';
import { generateKeyPair } from '../../issuer/key-pair.ts';
import { parseKeyring, serialiseKeyring } from '../../issuer/keyring-document.ts';
import { newKeyring, type Keyring } from '../../issuer/keyring.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import {
  makeSecret,
  readSecret,
  writeSecret,
  type KeptSecret,
  type SecretObject,
} from '../../kubernetes/kept-secret.ts';
import { retryConflicts } from '../../kubernetes/retry-conflicts.ts';

export const SIGNING_KEYS_SECRET = 'latchkey-signing-keys';

/** Another type than Opaque says in `kubectl get secrets` what it is; the API server never lets it be changed. */
const TYPE = 'latchkey.dev/signing-keys';

/** `KeysSecretMissing`: nobody has made the keys. `KeysSecretBusy`: others kept changing the Secret at the same time. */
export class KeysSecretError extends LatchkeyError<'KeysSecretMissing' | 'KeysSecretBusy'> {}

export interface KeysSecretAccess {
  readonly client: KubernetesClient;
  /** The operator's. */
  readonly namespace: string;
}

const keptSecret = ({ client, namespace }: KeysSecretAccess): KeptSecret => ({
  client,
  namespace,
  name: SIGNING_KEYS_SECRET,
  type: TYPE,
});

/** @throws {KeysSecretError} `KeysSecretMissing` */
export async function readKeysSecret(access: KeysSecretAccess): Promise<SecretObject> {
  try {
    return await readSecret(keptSecret(access));
  } catch (cause) {
    if (!hasStatus(cause, 404)) throw cause;
    throw new KeysSecretError(
      'KeysSecretMissing',
      `There is no Secret ${SIGNING_KEYS_SECRET} in the namespace ${access.namespace}. Name the namespace that Latchkey runs ` +
        'in; where it runs for the first time, wait until it is up.',
      { cause },
    );
  }
}

/** Makes the Secret with new keys; where another replica was faster, `mine` is false and the Secret is the winner's. */
export async function createKeysSecret(
  access: KeysSecretAccess,
  now: Date,
): Promise<{ readonly secret: SecretObject; readonly mine: boolean }> {
  return makeSecret(keptSecret(access), serialiseKeyring(await freshKeyring(now)));
}

/**
 * Writes what `change` makes of the live keyring, unless it is the same one. The PUT names the resourceVersion that
 * was read, so of two changes at once the second looks again.
 * @throws {KeyringError} what `change` throws, or `KeyringDamaged`; nothing was written then
 * @throws {KeysSecretError}
 */
export async function changeKeyring(
  access: KeysSecretAccess,
  change: (keyring: Keyring) => Keyring,
): Promise<SecretObject> {
  return asRead(access, (secret) => {
    const before = parseKeyring(secret.data);
    const after = change(before);
    return after === before ? secret : put(access, secret, after);
  });
}

/**
 * Puts new keys in the place of all that are there, damaged or not: every token signed before fails at once wherever
 * the JWKS is read again.
 * @param now asked once the API server has answered
 * @throws {KeysSecretError}
 */
export async function replaceKeyring(access: KeysSecretAccess, now: () => Date): Promise<SecretObject> {
  const [active, next] = await Promise.all([generateKeyPair(), generateKeyPair()]);
  return asRead(access, (secret) => put(access, secret, newKeyring(active, next, now())));
}

async function freshKeyring(now: Date): Promise<Keyring> {
  return newKeyring(await generateKeyPair(), await generateKeyPair(), now);
}

function put(access: KeysSecretAccess, secret: SecretObject, keyring: Keyring): Promise<SecretObject> {
  return writeSecret(keptSecret(access), secret, serialiseKeyring(keyring));
}

/** Reads the Secret and acts on it, again from the start where somebody has changed it in between. */
async function asRead(
  access: KeysSecretAccess,
  act: (secret: SecretObject) => Promise<SecretObject> | SecretObject,
): Promise<SecretObject> {
  try {
    return await retryConflicts(async () => act(await readKeysSecret(access)));
  } catch (cause) {
    if (!hasStatus(cause, 409)) throw cause;
    throw new KeysSecretError('KeysSecretBusy', 'Others keep changing the signing keys. Try again.', {
      cause,
    });
  }
}
