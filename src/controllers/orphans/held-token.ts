// Sees to the token in a namespace whose User has vanished, while it is held: nobody can replace it, so it goes at its floor.
import { POLICY_NAME } from '../../api/names.ts';
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

export interface HeldTokens {
  /**
   * Whether an admin has switched everybody off, or ended every session, since its session began; of tokens of Latchkey,
   * since this process saw the orphan first.
   */
  isOver(orphan: Orphan): boolean;
  /** @returns when to look again; undefined once the token is gone. */
  tend(orphan: Orphan, now: Date): Promise<Date | undefined>;
}

export function heldTokens({ caches, ledger, clearSecret }: HeldTokensOptions): HeldTokens {
  /**
   * By the UID of the namespace, under which epoch the session of its token began, or where nothing tells, under which it
   * was seen first: another one has ended that session.
   */
  const epochs = new Map<string, string | undefined>();
  caches.namespaces.onChange((before, after) => {
    if (before && before.uid !== after?.uid) epochs.delete(before.uid);
  });

  function isOver({ namespace: { uid, name } }: Orphan): boolean {
    const policy = caches.policies.get(POLICY_NAME)?.policy;
    if (!policy?.spec.enabled) return true;
    const { epoch } = policy.status ?? {};
    if (!epochs.has(uid)) epochs.set(uid, caches.anchors.get(name)?.epoch ?? epoch);
    return epochs.get(uid) !== epoch;
  }

  /** What the Secret says of its token anybody may have forged: it is believed for no longer than a token lives. */
  function floorOf({ claimedExpiry }: CachedSecret, now: Date): Date | undefined {
    const policy = caches.policies.get(POLICY_NAME)?.policy;
    if (claimedExpiry === undefined || !policy) return undefined;
    const life = lifetime(policy);
    if (claimedExpiry - now.getTime() > life.ttlMs) return undefined;
    return floorAt(new Date(claimedExpiry), life);
  }

  return {
    isOver,
    async tend(orphan, now) {
      const { namespace, userUID, userName = namespace.name } = orphan;
      const secret = caches.secrets.get(namespace.name);
      if (!secret || secret.deleting || ledger.written(secret)?.reason !== undefined) return undefined;
      const floor = isOver(orphan) ? undefined : floorOf(secret, now);
      if (floor && now < floor) return floor;
      await clearSecret(secret, { metadata: { name: userName, uid: userUID } }, HELD);
      return undefined;
    },
  };
}
