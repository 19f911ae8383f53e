// Brings one User to what is decided for it: observe, decide, apply, until there is nothing left to do.
import { isDeepStrictEqual } from 'node:util';
import type { User } from '../../api/user.ts';
import { decide, type Decision } from '../../domain/decide.ts';
import { earliest } from '../../domain/directory.ts';
import { effectiveNamespace } from '../../domain/effective.ts';
import { lifetime, refreshAt } from '../../domain/refresh.ts';
import type { Step } from '../../domain/step.ts';
import type { Tell } from '../../domain/happening.ts';
import type { CannotMint, Observed } from '../../domain/observed.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import { observe, type Surroundings } from '../../observation/observe.ts';
import type { Apply, Target } from './apply.ts';
import type { Prove } from './prove.ts';

/** There is nothing to write a status to. */
function withoutStatus(decision: Decision, { status = {} }: User): Decision {
  return { ...decision, status, statusFirst: false };
}

/**
 * `Unfinished`: what follows has to be decided on what is so now. `AnchorGone`: the same, and no token is alive. `Done`:
 * nothing follows until something changes.
 */
type Outcome = 'Done' | 'Refreshed' | 'Unfinished' | 'AnchorGone';

/** More rounds than the longest honest way takes: finalizer, namespace, Secret, token, status. */
const MOST_ROUNDS = 8;

const UNPROVEN: CannotMint = {
  reason: 'CacheNotProven',
  message: 'The API server does not confirm that what Latchkey knows is current, so no token is minted.',
};

export interface ReconcileOptions {
  readonly surroundings: Surroundings;
  readonly prove: Prove;
  readonly apply: Apply;
  readonly tell: Tell;
  /** Told where something may be taken away only after it has been counted. */
  readonly askPermission: () => void;
  /** The time to decide by, which is the API server's where our clock is wrong. */
  readonly now: () => Date;
}

/**
 * `AfterOthers`: there is something left to write down, and others still wait for what matters more. `AfterAnchors`: there
 * is a token left to clear that is dead, and those of others may not be.
 */
export type LookAgain = Date | 'AfterOthers' | 'AfterAnchors' | undefined;

/**
 * @returns when to look again at the User, unless something changes before.
 * @throws whatever the API server refused; the caller tries again after a pause.
 */
export type Reconcile = (name: string, isLeading: () => boolean) => Promise<LookAgain>;

export function reconciler({
  surroundings,
  prove,
  apply,
  tell,
  askPermission,
  now,
}: ReconcileOptions): Reconcile {
  const { caches } = surroundings;

  async function carryOut(
    { user, policy }: Observed,
    decision: Decision,
    isLeading: () => boolean,
  ): Promise<Outcome> {
    const target = { user, policy, cause: decision.cause };
    const settle = async () => {
      if (!isDeepStrictEqual(decision.status, user.status)) await apply.status(user, decision.status);
    };
    if (decision.statusFirst && !isDeepStrictEqual(decision.status, user.status)) {
      try {
        await settle();
      } catch (error) {
        // What cannot be written down must not keep a token alive.
        await inTurn(decision.steps.filter(takesAway), target, isLeading);
        throw error;
      }
      if (user.status?.session && !decision.status.session)
        tell({ what: 'SessionEnded', user, session: user.status.session.id, cause: decision.cause });
      // What follows is decided on the User as it is now.
      return 'Unfinished';
    }
    if (decision.steps.length > 0) {
      const end = await inTurn(decision.steps, target, isLeading);
      return end !== 'CarriedOut' ? end : isRefresh(decision, user) ? 'Refreshed' : 'Unfinished';
    }
    await settle();
    return 'Done';
  }

  /** Of everybody's tokens those of Kubernetes die first, by one request each; the next turn of the User sees to the rest. */
  async function inTurn(
    steps: readonly Step[],
    target: Target,
    isLeading: () => boolean,
  ): Promise<Outcome | 'CarriedOut'> {
    const [first, ...others] = steps;
    if (first?.do === 'DeleteAnchor' && others.length > 0) {
      let failure: unknown;
      try {
        const isGone = await apply.step(first, target);
        if (isGone && target.cause.forEveryone) return 'AnchorGone';
      } catch (error) {
        // What cannot be deleted must not keep a token in its Secret, either.
        failure = error;
      }
      const end = await inTurn(others, target, isLeading);
      if (failure) throw failure;
      return end;
    }
    for (const step of steps) {
      // The steps before it took their time: the clock may have been set since, or the Lease been lost.
      if (step.do === 'WriteToken' && (surroundings.cannotMint() || !isLeading())) return 'Unfinished';
      if (!(await apply.step(step, target))) return 'Done';
    }
    return 'CarriedOut';
  }

  /** When to look again after a refresh; undefined where somebody has written to the Secret since. */
  function afterRefresh({ user, policy }: Observed, decision: Decision): Date | undefined {
    const secret = caches.secrets.get(effectiveNamespace(user));
    const written = secret && surroundings.written(secret)?.token;
    return (
      written &&
      policy &&
      earliest(refreshAt(user.metadata.uid, written.expiresAt, lifetime(policy)), decision.lookAgainAt)
    );
  }

  /** The queue rings by our clock, right or wrong. */
  const byOurClock = (at: Date) => new Date(at.getTime() + Date.now() - now().getTime());

  return async (name, isLeading) => {
    let cannotMint: CannotMint | undefined;
    let failure: unknown;
    let isGone = false;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const cached = caches.users.get(name);
      if (!cached || !isLeading()) return undefined;
      const picture = observe(cached.user, surroundings);
      const observed = cannotMint ? { ...picture, cannotMint } : picture;
      const decision = decide(observed, now());
      if (decision.asksPermission) askPermission();
      // Of what has failed nothing is written down, lest every bad moment cost everybody two writes.
      if (failure && decision.steps.length === 0) throw failure;

      if (decision.steps.some((step) => step.do === 'WriteToken')) {
        try {
          if ((await prove(cached.user, decision.mayWait)) === 'changed') continue;
        } catch (error) {
          // Decided once more without the right to mint: an old token must still go at its floor.
          cannotMint = UNPROVEN;
          // The watch is about to tell that the User is gone; or never does, where the whole resource is.
          if (hasStatus(error, 404)) isGone = true;
          else failure = error;
          continue;
        }
      }
      const feasible = isGone ? withoutStatus(decision, cached.user) : decision;
      const outcome = await carryOut(observed, feasible, isLeading);
      if (outcome === 'AnchorGone') return 'AfterAnchors';
      // Everybody's key goes before anybody's status says so, which the policy has said already.
      if (outcome === 'Unfinished' && feasible.cause.forEveryone && feasible.steps.some(takesAway))
        return 'AfterOthers';
      const lookAgainAt = outcome === 'Refreshed' ? afterRefresh(observed, feasible) : decision.lookAgainAt;
      if (outcome === 'Unfinished' || (outcome === 'Refreshed' && !lookAgainAt)) continue;
      if (failure) throw failure;
      return lookAgainAt && byOurClock(lookAgainAt);
    }
    throw new Error(`no end after ${MOST_ROUNDS} rounds`);
  };
}

/** All of it was to write a token: nothing else has changed, so that there is nothing to decide anew. */
function isRefresh({ steps, status }: Decision, user: User): boolean {
  return steps.every((step) => step.do === 'WriteToken') && isDeepStrictEqual(status, user.status);
}

function takesAway(step: Step): boolean {
  return step.do === 'ClearToken' || step.do === 'DeleteSecret' || step.do === 'DeleteAnchor';
}
