// What every replica keeps of the Secret of the signing keys: the keyring, or why it cannot be used.
import { KeyringError, type Keyring } from '../../issuer/keyring.ts';
import { parseKeyring } from '../../issuer/keyring-document.ts';
import { secretsPath, type SecretObject } from '../../kubernetes/kept-secret.ts';
import type { RawObject, Resource } from '../../kubernetes/resource.ts';
import type { Stored } from '../../kubernetes/store.ts';
import { SIGNING_KEYS_SECRET } from './secret.ts';

export interface CachedKeys extends Stored {
  readonly content: Keyring | KeyringError;
}

export function keysResource(namespace: string): Resource<CachedKeys> {
  return {
    name: 'signing-keys',
    path: secretsPath(namespace),
    fieldSelector: `metadata.name=${SIGNING_KEYS_SECRET}`,
    view: keysView,
  };
}

export function keysView({
  metadata: { name, namespace = '', uid, resourceVersion },
  ...secret
}: RawObject): CachedKeys {
  const content = contentOf(secret);
  return { name, namespace, uid, resourceVersion, content };
}

function contentOf({ data }: Pick<SecretObject, 'data'>): CachedKeys['content'] {
  try {
    return parseKeyring(data);
  } catch (error) {
    if (error instanceof KeyringError) return error;
    throw error;
  }
}
