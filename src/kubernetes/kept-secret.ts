// A Secret of Latchkey's own namespace that Latchkey makes and keeps: made once, and changed only as it was read.
import { LABEL, MANAGED_BY } from '../api/names.ts';
import { hasStatus } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import type { RawObject } from './resource.ts';

export interface KeptSecret {
  readonly client: KubernetesClient;
  readonly namespace: string;
  readonly name: string;
  /** The API server never lets it be changed. */
  readonly type: string;
}

export interface SecretObject extends RawObject {
  /** In base64. */
  readonly data?: SecretData;
}

export type SecretData = Readonly<Record<string, string>>;

export const secretsPath = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`;
const pathOf = ({ namespace, name }: KeptSecret) => `${secretsPath(namespace)}/${name}`;

/** @throws {ApiError} 404 where there is none */
export function readSecret(kept: KeptSecret): Promise<SecretObject> {
  return kept.client.request<SecretObject>({ method: 'GET', path: pathOf(kept) });
}

/** Where another replica was faster, `mine` is false and the Secret is the winner's. */
export async function makeSecret(
  kept: KeptSecret,
  data: SecretData,
): Promise<{ readonly secret: SecretObject; readonly mine: boolean }> {
  const { client, namespace, name, type } = kept;
  const metadata = { name, namespace, labels: { [LABEL.managedBy]: MANAGED_BY } };
  const body = { apiVersion: 'v1', kind: 'Secret', metadata, type, data };
  try {
    const path = secretsPath(namespace);
    return { secret: await client.request<SecretObject>({ method: 'POST', path, body }), mine: true };
  } catch (error) {
    if (!hasStatus(error, 409)) throw error;
    return { secret: await readSecret(kept), mine: false };
  }
}

/**
 * Under the version that was read, so that of two changes at once the second fails.
 * @throws {ApiError} 409 where somebody else was faster
 */
export function writeSecret(kept: KeptSecret, secret: SecretObject, data: SecretData): Promise<SecretObject> {
  const body = { ...secret, data: { ...secret.data, ...data } };
  return kept.client.request<SecretObject>({ method: 'PUT', path: pathOf(kept), body });
}
