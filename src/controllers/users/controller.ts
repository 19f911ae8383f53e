// Puts a User into the queue whenever something that its decision depends on has changed.
import type { Logger } from 'pino';
import { POLICY_NAME } from '../../api/names.ts';
import type { TokenPolicy } from '../../api/token-policy.ts';
import type { User } from '../../api/user.ts';
import { effectiveNamespace, effectiveUsername, foldUsername } from '../../domain/effective.ts';
import { claimedAccount } from '../../domain/onboarding.ts';
import { seats } from '../../domain/seats.ts';
import type { LicenseReading } from '../../domain/license.ts';
import { decidesAlike, isAccounted } from '../../domain/policy.ts';
import { policyStands } from '../../domain/policy-stands.ts';
import type { Caches } from '../../observation/caches.ts';
import type { CachedUser } from '../../observation/views.ts';
import { WorkQueue, type QueueView } from '../queue/queue.ts';
import { LAST, LATE, NOW } from '../queue/urgency.ts';
import type { Permissions } from '../holds/permissions.ts';
import type { Ledger } from './ledger.ts';
import type { Reconcile } from './reconcile.ts';

/** The API server serves about this many writes of one client at once before they only wait. */
const IN_FLIGHT = 32;

/** So long a change of the policy that takes nothing away by itself waits until it is accounted for. */
const ANYWAY_MS = 1_000;

export interface UsersControllerOptions {
  readonly caches: Caches;
  readonly ledger: Ledger;
  readonly license: () => LicenseReading;
  readonly permissions: Permissions;
  readonly reconcile: Reconcile;
  readonly isLeading: () => boolean;
  readonly log: Logger;
}

export interface UsersController {
  readonly queue: QueueView;
  /** Works until `signal` aborts. Begins with every User: what happened before is read from what is. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Looks at one User again, because the directory says something else of it.
   * @param isLosing whether that ends its session; else it waits for its turn, as its token may be good for long
   */
  look(user: User, isLosing: boolean): void;
  /** Looks at every User again, for example because the clocks agree again. */
  lookAtAll(): void;
}

export function usersController({
  caches,
  ledger,
  license,
  permissions,
  reconcile,
  isLeading,
  log,
}: UsersControllerOptions): UsersController {
  const queue = new WorkQueue({
    concurrency: IN_FLIGHT,
    async work(name) {
      const again = await reconcile(name, isLeading);
      if (again === 'AfterAnchors') queue.add(name, LATE);
      else if (again === 'AfterOthers') queue.add(name, LAST);
      else if (again) {
        const user = caches.users.get(name)?.user;
        queue.addAt(name, again.getTime(), user && expiryOf(user));
      }
    },
    onFailure(name, error, pauseMs) {
      log.warn({ user: name, err: error, pauseMs }, 'reconciling failed; trying again');
    },
  });

  let anyway: NodeJS.Timeout | undefined;
  const addClaimants = (claimants: readonly CachedUser[]) => {
    for (const { name } of claimants) queue.add(name);
  };

  /** @param afterTheEnd how urgent it is for whoever has lost the session with everybody else */
  const addIn = (namespace: string | undefined, afterTheEnd = NOW) => {
    if (namespace === undefined) return;
    for (const { name, user } of caches.byNamespace.get(namespace))
      queue.add(name, isOver(user) ? afterTheEnd : NOW);
  };

  caches.users.onChange((before, after) => {
    const subject = after ?? before;
    if (!subject) return;
    // Whoever holds a token, or has just signed in, comes before those that are only being made.
    const session = before?.user.status?.session ?? after?.user.status?.session;
    queue.add(subject.name, session ? NOW : NOW + 1);
    // Somebody who has left a seat, or taken one, moves the others up or down by one place.
    for (const name of caches.seating.atTheEdge(seats(license()) ?? Infinity)) queue.add(name);
    const accounts = [before, after].map((cached) => cached && claimedAccount(cached.user));
    for (const account of accounts[0] === accounts[1] ? [] : accounts)
      if (account !== undefined) addClaimants(caches.byAccount.get(account));
    if (before && after && before.uid === after.uid) return;
    // Who holds a name may have changed, and whose namespace an orphan's label names.
    for (const { user } of [before, after].filter((cached) => cached !== undefined)) {
      addClaimants(caches.byUsername.get(foldUsername(effectiveUsername(user))));
      addClaimants(caches.byNamespace.get(effectiveNamespace(user)));
    }
  });
  caches.policies.onChange((before, after) => {
    if ((after ?? before)?.name !== POLICY_NAME || decidesAlike(before?.policy, after?.policy)) return;
    if (after && isPassing(after.policy)) anyway ??= setTimeout(lookAtAll, ANYWAY_MS).unref();
    else lookAtAll();
  });
  permissions.onChange((cause, keys) => {
    if (cause !== 'Vanished') for (const key of keys) addClaimants(caches.byUID.get(key));
  });
  caches.namespaces.onChange((before, after) => addIn((after ?? before)?.name));
  caches.secrets.onChange((before, after) => {
    if (before && before.uid !== after?.uid) ledger.forget(before.uid);
    if (after && (ledger.written(after) || ledger.isWriting(after.uid))) return;
    // The watch may tell of our write before its answer does; what is said of an empty Secret waits for others' keys.
    const isEmpty = after !== undefined && after.claimedExpiry === undefined;
    addIn((after ?? before)?.namespace, isEmpty ? LAST : NOW);
  });
  caches.anchors.onChange((before, after) => {
    // Where everybody's session is over, what is left to do for one whose anchor is gone waits for the anchors of others.
    addIn((after ?? before)?.namespace, after ? NOW : LATE);
  });
  caches.bindings.onChange((before, after) => addIn((after ?? before)?.namespace));

  function expiryOf(user: User): number | undefined {
    return caches.secrets.get(effectiveNamespace(user))?.claimedExpiry;
  }

  const epoch = () => caches.policies.get(POLICY_NAME)?.policy.status?.epoch;
  /** Whether a new epoch has ended the session, and the status does not say so yet. */
  function isOver({ status }: User): boolean {
    return status?.session !== undefined && status.session.epoch !== epoch();
  }

  /**
   * Whoever has signed in and waits for a token comes first; then tokens that are already short of time, before those
   * that only may have been tampered with; then those for whom nothing can change but what is written down of them.
   */
  function turnOf(user: User): number {
    const waits = user.status?.session?.epoch === epoch();
    return expiryOf(user) ?? (waits ? NOW + 1 : LAST);
  }

  function lookAtAll(): void {
    clearTimeout(anyway);
    anyway = undefined;
    for (const { name, user } of caches.users.values()) queue.add(name, turnOf(user));
  }

  return {
    queue,
    look: (user, isLosing) => queue.add(user.metadata.name, isLosing ? NOW : turnOf(user)),
    lookAtAll,
    run: (signal) => queue.run(signal, lookAtAll),
  };
}

/** Nothing is minted by it yet, and nobody loses everything by it: what follows comes with its status, in a moment. */
function isPassing(policy: TokenPolicy): boolean {
  return policyStands(policy) && policy.spec.enabled && !isAccounted(policy);
}
