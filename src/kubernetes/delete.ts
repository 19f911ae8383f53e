// Deletes what may be gone already.
import { hasStatus } from './api-error.ts';
import type { KubernetesClient } from './client.ts';

/**
 * Deletes the object at `path` if it still is the one with `uid`. Nothing is left to do where it is gone (404), or where
 * another one has its name or it is on its way (409).
 * @returns whether the API server has said that it is gone: of what a finalizer keeps it answers with the object, and
 * not with a Status (apiserver, endpoints/handlers/delete.go)
 */
export async function deleteIfThere(client: KubernetesClient, path: string, uid: string): Promise<boolean> {
  try {
    const body = { preconditions: { uid } };
    const { kind } = await client.request<{ readonly kind?: string }>({ method: 'DELETE', path, body });
    return kind === 'Status';
  } catch (error) {
    if (!hasStatus(error, 404, 409)) throw error;
    return hasStatus(error, 404);
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
): Promise<boolean> {
  const gone = await deleteIfThere(client, path, uid);
  if (!finalizers) return gone;
  const body = { metadata: { uid, finalizers: null } };
  try {
    await client.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
  } catch (error) {
    // 422: another one has its name by now, and a UID cannot be changed.
    if (!hasStatus(error, 404, 409, 422)) throw error;
  }
  return false;
}
