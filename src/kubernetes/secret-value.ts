// Reads one key of a Secret in Latchkey's own namespace, such as a bind password.
import { LatchkeyError } from '../errors.ts';
import { hasStatus } from './api-error.ts';
import type { KubernetesClient } from './client.ts';

/** `SecretMissing`: there is no such Secret, or it has no such key; the message says which to make. */
export class SecretValueError extends LatchkeyError<'SecretMissing'> {}

/** @returns the value as text. @throws {SecretValueError} */
export async function secretValue(
  client: KubernetesClient,
  { namespace, name, key }: { readonly namespace: string; readonly name: string; readonly key: string },
): Promise<string> {
  const missing = () =>
    new SecretValueError(
      'SecretMissing',
      `Make the Secret ${name} in the namespace ${namespace}, with the key ${key}.`,
    );
  let secret: { data?: Readonly<Record<string, string>> };
  try {
    secret = await client.request({ method: 'GET', path: `/api/v1/namespaces/${namespace}/secrets/${name}` });
  } catch (error) {
    if (hasStatus(error, 404)) throw missing();
    throw error;
  }
  const value = secret.data?.[key];
  if (value === undefined) throw missing();
  return Buffer.from(value, 'base64').toString('utf8');
}
