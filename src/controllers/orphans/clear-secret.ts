// Takes the token out of a Secret whose User is gone, and leaves the Secret, which says why.
import { ANNOTATION, TOKEN_SECRET } from '../../api/names.ts';
import type { Cause, Tell, Whose } from '../../domain/happening.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { deleteForGood } from '../../kubernetes/delete.ts';
import { METADATA_ONLY, type RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { SECRETS, type CachedSecret } from '../../observation/views.ts';
import type { Ledger } from '../users/ledger.ts';

export interface ClearSecretOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly ledger: Ledger;
  readonly tell: Tell;
}

/** @returns whether it is done; else the watch is about to tell what is there now */
export type ClearSecret = (secret: CachedSecret, user: Whose, cause: Cause) => Promise<boolean>;

export function secretClearer({ client, caches, ledger, tell }: ClearSecretOptions): ClearSecret {
  async function clear(secret: CachedSecret, { reason, message }: Cause): Promise<boolean> {
    const path = `/api/v1/namespaces/${secret.namespace}/secrets/${TOKEN_SECRET}`;
    const annotations = {
      [ANNOTATION.expiresAt]: null,
      [ANNOTATION.session]: null,
      [ANNOTATION.claims]: null,
      [ANNOTATION.reason]: reason,
      [ANNOTATION.message]: message,
    };
    try {
      const answer = await client.request<RawObject>({
        method: 'PATCH',
        path,
        contentType: 'application/merge-patch+json',
        accept: METADATA_ONLY,
        body: { metadata: { uid: secret.uid, annotations }, data: null },
      });
      const view = SECRETS.view(answer);
      ledger.record(view, { reason });
      caches.secrets.merge(view);
      return true;
    } catch (error) {
      if (hasStatus(error, 404, 409)) return false;
      // Somebody made it immutable.
      if (!hasStatus(error, 422)) throw error;
      await deleteForGood(client, path, secret);
      return true;
    }
  }

  return async (secret, user, cause) => {
    const held = ledger.held(secret);
    if (!(await clear(secret, cause))) return false;
    if (held) tell({ what: 'TokenRevoked', user, jti: held.jti, cause });
    return true;
  };
}
