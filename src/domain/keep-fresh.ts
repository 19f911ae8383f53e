// Keeps the token of somebody who may have one fresh: when it is replaced, and when it has to go unreplaced.
import type { TokenPolicy } from '../api/token-policy.ts';
import type { Session } from '../api/user.ts';
import { anchoredDigest, sessionOfKubernetes, type Anchored } from './anchor.ts';
import { claimsDigest, identityClaims } from './claims.ts';
import { holdOf } from './losing.ts';
import type { HeldToken, Observed } from './observed.ts';
import { isAccounted } from './policy.ts';
import { CLOCKS_APART_MS, floorAt, lifetime, refreshAt } from './refresh.ts';
import type { Plan, Step } from './step.ts';

/** @returns undefined where the Secret has to lose its key: nothing may be minted, and the old token is too old. */
export function keepFresh(
  observed: Observed,
  { session, policy, anchor }: { session: Session; policy: TokenPolicy; anchor: Anchored },
  now: Date,
): Plan | undefined {
  const { user, secret, cannotMint, publishedKeys } = observed;
  const life = lifetime(policy);
  const claims = identityClaims(user, session, policy);
  const byKubernetes = sessionOfKubernetes(policy, session) !== undefined;
  const { ready } = anchor;
  // First there has to be something for the token to hang on; what one hung on that is gone is dead.
  if (byKubernetes && !ready) return { steps: [], tokenWritten: false };
  const digest = ready && byKubernetes ? anchoredDigest(claims, ready) : claimsDigest(claims);
  // What Kubernetes gives counts by the API server's clock, which may be ahead of this one.
  const longestMs = life.ttlMs + (byKubernetes ? CLOCKS_APART_MS : 0);
  const isAsItShould = (token: Omit<HeldToken, 'kid'>) =>
    token.session === session.id &&
    token.claims === digest &&
    token.expiresAt.getTime() - now.getTime() <= longestMs;
  const written = secret?.finalizers ? undefined : secret?.written?.token;
  // After a restart, or where the answer to a write was lost, only the annotations tell what the Secret holds. It is
  // written anew as soon as that is possible; to take it away before would punish everybody for a bad moment.
  const unknown = secret?.written || secret?.finalizers ? undefined : secret?.claimed;
  const isPublished = written?.kid === undefined || (publishedKeys?.has(written.kid) ?? true);
  const usable = written && isAsItShould(written) && isPublished ? written : undefined;
  const due = usable && refreshAt(user.metadata.uid, usable.expiresAt, life);
  if (due && now < due) return { steps: [], tokenWritten: true, lookAgainAt: due };

  const floorOf = (token: Omit<HeldToken, 'kid'> | undefined) => token && floorAt(token.expiresAt, life);
  const floor = floorOf(usable);
  const aboveFloor = floor !== undefined && now < floor;
  // A change of the policy that has not been accounted for may have shut the gate for a moment.
  const accounted = isAccounted(policy);
  // Until it is decided whether a User that is being deleted is held, which takes a moment, nothing new is given to it.
  const isOpen = user.metadata.deletionTimestamp === undefined || holdOf(observed.losing) !== undefined;
  if (!cannotMint && accounted && isOpen) {
    const hangsOn = ready && byKubernetes ? { anchor: ready.uid } : {};
    const write: Step = { do: 'WriteToken', session: session.id, claims, digest, ...hangsOn };
    const before = isPublished ? (written ?? unknown) : undefined;
    const mayWait = before?.session === session.id && now < floorAt(before.expiresAt, life);
    return { steps: [write], tokenWritten: true, mayWait };
  }
  if (aboveFloor) return { steps: [], tokenWritten: true, lookAgainAt: floor };
  // What the new policy wants otherwise is replaced in a moment, when the change is accounted for, and not taken away.
  const isPassing = !cannotMint && !accounted;
  const held = isPublished ? (written ?? unknown) : unknown;
  const replacedSoon = isPassing && held?.session === session.id ? held : undefined;
  const stays = replacedSoon ?? (unknown && isAsItShould(unknown) ? unknown : undefined);
  const until = floorOf(stays);
  return until && now < until
    ? { steps: [], tokenWritten: stays === written, lookAgainAt: until }
    : undefined;
}
