// Deletes what may be gone already.
import { hasStatus } from './api-error.ts';
import type { KubernetesClient } from './client.ts';

/**
 * Deletes the object at `path` if it still is the one with `uid`. Nothing is left to do where it is gone (404), or where
 * another one has its name or it is on its way (409).
 */
export async function deleteIfThere(client: KubernetesClient, path: string, uid: string): Promise<void> {
  try {
    await client.request({ method: 'DELETE', path, body: { preconditions: { uid } } });
  } catch (error) {
    if (!hasStatus(error, 404, 409)) throw error;
  }
}
