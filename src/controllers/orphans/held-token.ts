// Sees to the token in a namespace whose User has vanished, while it is held: nobody can replace it, so it goes at its floor.
import { ANNOTATION, POLICY_NAME, TOKEN_SECRET } from '../../api/names.ts';
import type { Cause, Tell } from '../../domain/happening.ts';
import { floorAt, lifetime } from '../../domain/refresh.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { deleteIfThere } from '../../kubernetes/delete.ts';
import { METADATA_ONLY, type RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { SECRETS, type CachedSecret } from '../../observation/views.ts';
import type { Orphan } from './find.ts';
import type { Ledger } from '../users/ledger.ts';

export interface HeldTokensOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly ledger: Ledger;
  readonly tell: Tell;
}

const HELD: Cause = {
  reason: 'Held',
  message:
    'The User of this namespace is gone. The namespace stays until an admin decides; see the TokenPolicy.',
};

/** @returns when to look again; undefined once the token is gone. */
export type TendHeldToken = (orphan: Orphan, now: Date) => Promise<Date | undefined>;

export function heldTokens({ client, caches, ledger, tell }: HeldTokensOptions): TendHeldToken {
  /** Under which epoch a Secret was seen first: another one has ended the session of its token. */
  const epochs = new Map<string, string | undefined>();

  /** What the Secret says of its token anybody may have forged: it is believed for no longer than a token lives. */
  function floorOf({ uid, claimedExpiry }: CachedSecret, now: Date): Date | undefined {
    const policy = caches.policies.get(POLICY_NAME)?.policy;
    if (claimedExpiry === undefined || !policy?.spec.enabled) return undefined;
    if (!epochs.has(uid)) epochs.set(uid, policy.status?.epoch);
    if (epochs.get(uid) !== policy.status?.epoch) return undefined;
    const life = lifetime(policy);
    if (claimedExpiry - now.getTime() > life.ttlMs) return undefined;
    return floorAt(new Date(claimedExpiry), life);
  }

  /** @returns whether it is done; else the watch is about to tell what is there now */
  async function clear(namespace: string, { uid }: CachedSecret): Promise<boolean> {
    const path = `/api/v1/namespaces/${namespace}/secrets/${TOKEN_SECRET}`;
    const { expiresAt, session, claims, reason, message } = ANNOTATION;
    const annotations = {
      [expiresAt]: null,
      [session]: null,
      [claims]: null,
      [reason]: HELD.reason,
      [message]: HELD.message,
    };
    try {
      const answer = await client.request<RawObject>({
        method: 'PATCH',
        path,
        contentType: 'application/merge-patch+json',
        accept: METADATA_ONLY,
        body: { metadata: { uid, annotations }, data: null },
      });
      const view = SECRETS.view(answer);
      ledger.record(view, { reason: HELD.reason });
      caches.secrets.merge(view);
      return true;
    } catch (error) {
      if (hasStatus(error, 404, 409)) return false;
      // Somebody made it immutable.
      if (!hasStatus(error, 422)) throw error;
      await deleteIfThere(client, path, uid);
      return true;
    }
  }

  return async ({ namespace: { name: namespace }, userUID, userName = namespace }, now) => {
    const secret = caches.secrets.get(`${namespace}/${TOKEN_SECRET}`);
    if (!secret || secret.deleting || ledger.written(secret)?.reason !== undefined) return undefined;
    const floor = floorOf(secret, now);
    if (floor && now < floor) return floor;
    const held = ledger.held(secret);
    if (!(await clear(namespace, secret))) return undefined;
    epochs.delete(secret.uid);
    const user = { metadata: { name: userName, uid: userUID } };
    if (held) tell({ what: 'TokenRevoked', user, jti: held.jti, cause: HELD });
    return undefined;
  };
}
