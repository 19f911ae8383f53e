// Sees to the token in a namespace whose User has vanished, while it is held: nobody can replace it, so it goes at its floor.
import { POLICY_NAME, TOKEN_SECRET } from '../../api/names.ts';
import type { Cause } from '../../domain/happening.ts';
import { floorAt, lifetime } from '../../domain/refresh.ts';
import type { Caches } from '../../observation/caches.ts';
import type { CachedSecret } from '../../observation/views.ts';
import type { ClearSecret } from './clear-secret.ts';
import type { Orphan } from './find.ts';
import type { Ledger } from '../users/ledger.ts';

export interface HeldTokensOptions {
  readonly caches: Caches;
  readonly ledger: Ledger;
  readonly clearSecret: ClearSecret;
}

const HELD: Cause = {
  reason: 'Held',
  message:
    'The User of this namespace is gone. The namespace stays until an admin decides; see the TokenPolicy.',
};

/** @returns when to look again; undefined once the token is gone. */
export type TendHeldToken = (orphan: Orphan, now: Date) => Promise<Date | undefined>;

export function heldTokens({ caches, ledger, clearSecret }: HeldTokensOptions): TendHeldToken {
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

  return async ({ namespace: { name: namespace }, userUID, userName = namespace }, now) => {
    const secret = caches.secrets.get(`${namespace}/${TOKEN_SECRET}`);
    if (!secret || secret.deleting || ledger.written(secret)?.reason !== undefined) return undefined;
    const floor = floorOf(secret, now);
    if (floor && now < floor) return floor;
    const user = { metadata: { name: userName, uid: userUID } };
    if (await clearSecret(secret, user, HELD)) epochs.delete(secret.uid);
    return undefined;
  };
}
