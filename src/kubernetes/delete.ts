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

/**
 * Deletes as `deleteIfThere`, and takes the finalizers off, whosever they are: for what must not outlive its deletion,
 * because a token in it or the tokens that hang on it would live for as long as somebody likes.
 */
export async function deleteForGood(
  client: KubernetesClient,
  path: string,
  { uid, finalizers }: { readonly uid: string; readonly finalizers: boolean },
): Promise<void> {
  await deleteIfThere(client, path, uid);
  if (!finalizers) return;
  const body = { metadata: { uid, finalizers: null } };
  try {
    await client.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
  } catch (error) {
    // 422: another one has its name by now, and a UID cannot be changed.
    if (!hasStatus(error, 404, 409, 422)) throw error;
  }
}
