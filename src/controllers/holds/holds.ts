// Asks, for all who would lose something now, whether it is an accident, and gives the permissions once that is written.
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { POLICIES_CRD, USERS_CRD } from '../../api/names.ts';
import type { Hold, HoldCause, TokenPolicy } from '../../api/token-policy.ts';
import { confirmedIds } from '../../domain/confirmation.ts';
import type { Tell } from '../../domain/happening.ts';
import {
  decideHolds,
  rejoined,
  type Affected,
  type HoldsDecision,
  type HoldsObserved,
  type Subject,
} from '../../domain/holds.ts';
import type { DefinitionView } from '../../domain/orphans.ts';
import type { Caches } from '../../observation/caches.ts';
import type { CachedUser } from '../../observation/views.ts';
import type { Surroundings } from '../../observation/observe.ts';
import { orphanIn, orphans } from '../orphans/find.ts';
import { deletingPolicy, deletingUsers, inactiveUsers, isLeaving, vanishedUsers } from './affected.ts';
import type { Permissions } from './permissions.ts';

/** No vowels and nothing that looks like something else: it is read aloud and typed. */
const ID_LETTERS = 'bcdfghjkmnpqrstvwxz23456789';
const ID_LENGTH = 6;

/** The CustomResourceDefinitions of Users and of the TokenPolicy; undefined where there is none. */
export interface Definitions {
  readonly users: DefinitionView | undefined;
  readonly policy: DefinitionView | undefined;
}

export interface HoldsOptions {
  readonly caches: Caches;
  readonly permissions: Permissions;
  /** Asks the API server itself. */
  readonly liveDefinitions: () => Promise<Definitions>;
  readonly directory: Surroundings['directory'];
  readonly tell: Tell;
}

export interface Holds {
  /** Begins a term: another leader may have decided since the last one. */
  begin(): void;
  /** Says that there is something to decide. */
  ask(): void;
  /** Says that the API server itself has confirmed that this User is gone. */
  vanished(key: string): void;
  /** What is held now; to be written to the policy before `settle`. */
  decide(policy: TokenPolicy | undefined, now: Date): Promise<HoldsDecision>;
  /** Gives the permissions of a decision that is written. */
  settle(policy: TokenPolicy | undefined, decision: HoldsDecision): void;
  /** Told when there is something to decide. */
  onDemand(listener: () => void): void;
}

export function holds({ caches, permissions, directory, liveDefinitions, tell }: HoldsOptions): Holds {
  const listeners: (() => void)[] = [];
  const demand = () => {
    for (const listener of listeners) listener();
  };
  const gone = new Set<string>();
  /** What was decided last in this term; it stands in for the status where there is no policy to write it to. */
  let memory: Pick<HoldsDecision, 'holds' | 'taken'> | undefined;

  const isHeld = (cause: HoldCause, among = memory?.holds) =>
    among?.some((hold) => hold.cause === cause) === true;

  function* affected(
    known: Pick<HoldsObserved, 'holds' | 'confirmed'>,
    { users: definition, policy }: Definitions,
    now: Date,
  ): Iterable<Affected> {
    for (const deleting of deletingUsers(caches, definition)) yield withMemory(deleting);
    yield withMemory(deletingPolicy(caches, policy, known.holds));
    yield withMemory(inactiveUsers(caches, directory, now));
    // To look for orphans is to look at every namespace; it is done where one has turned up.
    if (gone.size === 0 && !isHeld('Vanished', known.holds)) return;
    const vanished = vanishedUsers(caches, definition, (key) => gone.has(key));
    yield withMemory(vanished, memory ? undefined : rejoined(vanished, known));
  }

  function withMemory({ cause, subjects, standing }: Affected, mark?: string): Affected {
    const remembered: Subject[] = [];
    for (const subject of subjects) {
      const permission = permissions.of(cause, subject.key);
      const hold = permission?.hold ?? subject.hold ?? mark;
      remembered.push({ ...subject, hold, given: subject.given === true || permission?.given === true });
    }
    return { cause, subjects: remembered, standing };
  }

  caches.userDefinition.onChange(demand);
  caches.users.onChange((before, after) => {
    const uid = (before ?? after)?.uid ?? '';
    // A permission is for one loss: who has a session again is counted again. To decide anew for that is to look at
    // every User, at each of a thousand who lose theirs together.
    const session = (cached?: CachedUser) => cached?.user.status?.session?.id;
    const isOther = session(before) !== session(after);
    if (isOther) permissions.forget('Inactive', uid);
    const countsAnew = isHeld('Vanished') || (isOther && isHeld('Inactive'));
    if (isLeaving(before) || isLeaving(after) || countsAnew) demand();
  });
  caches.namespaces.onChange((before, after) => {
    if ([before, after].some((namespace) => namespace && orphanIn(caches, namespace))) demand();
  });

  return {
    ask: demand,
    vanished(key) {
      if (gone.has(key)) return;
      gone.add(key);
      demand();
    },
    async decide(policy, now) {
      const known = {
        holds: policy?.status?.holds ?? memory?.holds ?? [],
        taken: policy?.status?.taken ?? memory?.taken ?? [],
        confirmed: confirmedIds(policy),
      };
      const decideOn = (definitions: Definitions) =>
        decideHolds({ ...known, affected: [...affected(known, definitions, now)], freshId }, now);
      const cached = {
        users: caches.userDefinition.get(USERS_CRD),
        policy: caches.policyDefinition.get(POLICIES_CRD),
      };
      const decision = decideOn(cached);
      if (!givesAnew(decision)) return decision;
      // A deletion of the CustomResourceDefinition comes before those of its objects, and its watch may be later.
      const live = await liveDefinitions();
      return isDeepStrictEqual(live, cached) ? decision : decideOn(live);
    },
    settle(policy, decision) {
      for (const [cause, decided] of decision.permissions) permissions.replace(cause, decided);
      forgetWhoIsBack();
      tellChanges(policy, memory?.holds ?? [], decision.holds);
      memory = decision;
    },
    begin() {
      memory = undefined;
      gone.clear();
      permissions.clear();
    },
    onDemand: (listener) => listeners.push(listener),
  };

  /** Whether anybody is let go by it who was not before, and whom no admin has confirmed. */
  function givesAnew({ permissions: decided }: HoldsDecision): boolean {
    for (const [cause, byKey] of decided)
      for (const [key, { given, hold }] of byKey)
        if (given && hold === undefined && !permissions.of(cause, key)?.given) return true;
    return false;
  }

  function forgetWhoIsBack(): void {
    if (gone.size === 0) return;
    const left = new Set(Array.from(orphans(caches), ({ userUID }) => userUID));
    for (const key of gone) if (!left.has(key)) gone.delete(key);
  }

  function tellChanges(
    policy: TokenPolicy | undefined,
    before: readonly Hold[],
    after: readonly Hold[],
  ): void {
    const about = { ...(policy && { policy }) };
    const ended = new Map(before.map((hold) => [hold.id, hold]));
    for (const hold of after) {
      const old = ended.get(hold.id);
      ended.delete(hold.id);
      if (!old && !hold.confirmed) tell({ what: 'Held', hold, ...about });
      if (hold.confirmed && !old?.confirmed) tell({ what: 'HoldConfirmed', hold, ...about });
    }
    for (const hold of ended.values()) tell({ what: 'HoldEnded', hold, ...about });
  }
}

/** How many holds wait for an admin, by their cause. */
export function openHolds(policy: TokenPolicy | undefined): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { cause, confirmed } of policy?.status?.holds ?? [])
    if (!confirmed) found.set(cause, (found.get(cause) ?? 0) + 1);
  return found;
}

/** One of 387 million. */
function freshId(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
}
