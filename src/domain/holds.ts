// Which causes are held: so many Users would lose access or namespace at once that an admin is asked first.
import type { Hold, HoldCause, TakenAway } from '../api/token-policy.ts';
import { timestamp } from './conditions.ts';

interface CauseRule {
  /** Held whatever the number: no admin names Users this way. */
  readonly always?: true;
  /** What is so, as a clause. */
  readonly says: (affected: number, of: number) => string;
  /** What to do where it was not meant. */
  readonly undo: string;
}

/**
 * Why Users lose something without an admin having named each of them.
 *
 * To add a cause: its name in HOLD_CAUSES (src/api/token-policy.ts), an entry here, and a source that tells which Users
 * it affects now (src/controllers/holds/affected.ts). What carries it out takes nothing away before its subject has the
 * permission 'Given'; until then the User is treated as if the cause were not there.
 */
export const CAUSES: Readonly<Record<HoldCause, CauseRule>> = {
  Deleting: {
    says: (affected, of) => `${affected} of ${of} Users are being deleted`,
    undo: 'A deletion cannot be taken back: take a copy of the Users, run "latchkey release", make them anew and run "latchkey adopt --restored".',
  },
  Vanished: {
    says: (affected, of) => `of ${of} Users, ${affected} are gone without having been offboarded`,
    undo: 'Restore the Users and run "latchkey adopt --restored".',
  },
  CRDDeleting: {
    always: true,
    says: (affected, of) =>
      `the CustomResourceDefinition is being deleted, and with it ${affected} of ${of} Users`,
    undo: 'Run "latchkey release": the Users go, their namespaces stay, and "latchkey adopt --restored" hands them to the Users of a new CustomResourceDefinition.',
  },
  PolicyCRDDeleting: {
    says: (_, of) =>
      `the CustomResourceDefinition of the TokenPolicy is being deleted, and with it the tokens of all ${of} Users`,
    undo: 'A deletion cannot be taken back, but everything works meanwhile: at an hour of your choosing take a copy of the TokenPolicy, run "latchkey release", install Latchkey again and apply the copy. Everybody then signs in again.',
  },
  Inactive: {
    says: (affected, of) =>
      `the directory says of ${affected} of ${of} Users that they are inactive, missing, out of their groups, or have a new password`,
    undo: 'Look at the directory, at the base DN and the filter that Latchkey searches it with, and at the groups of the TokenPolicy.',
  },
};

/** Fewer are an ordinary day; a share below this is an ordinary day of a large company. */
const ACCIDENT_USERS = 10;
const ACCIDENT_SHARE = 5;

/** What a slow stream has taken away counts for so long: an accident that goes on one by one is one all the same. */
export const WINDOW_MS = 10 * 60_000;
/** What is counted together. */
const GRAIN_MS = 60_000;

/** Whether so many at once are likelier an accident than somebody's will: at least 10, and at least one in five. */
export function isAccident(affected: number, of: number): boolean {
  return affected >= ACCIDENT_USERS && affected * ACCIDENT_SHARE >= of;
}

/** A User, or what many of them have in common, that would be lost by a cause and has not begun to be. */
export interface Subject {
  /** Its UID. */
  readonly key: string;
  /** The hold that it was counted for, as its object or this process remembers. */
  readonly hold?: string | undefined;
  /** Whether the API server itself has said so; what a cache suspects is counted, and not let go. */
  readonly certain: boolean;
  /** Whether no admin can have meant this one: then it is held even alone. */
  readonly unmeant?: boolean;
  /** How many Users lose with it; one where it is left out. */
  readonly users?: number;
  /** Whether it has its permission already, and with it its place among those that were counted. */
  readonly given?: boolean;
}

export interface Affected {
  readonly cause: HoldCause;
  readonly subjects: readonly Subject[];
  /** How many Users the cause leaves alone. */
  readonly standing: number;
}

export interface HoldsObserved {
  /** As the policy's status has them. */
  readonly holds: readonly Hold[];
  readonly taken: readonly TakenAway[];
  /** The ids that an admin has confirmed; the API server lets nobody else write them. */
  readonly confirmed: ReadonlySet<string>;
  readonly affected: readonly Affected[];
  /** An id that no hold had before, for each new hold. */
  readonly freshId: (cause: HoldCause) => string;
}

/** Given, because they are few or because an admin has confirmed the hold; else the hold that waits for an admin. */
export type Permission =
  | { readonly given: true; readonly hold?: string | undefined }
  | { readonly given: false; readonly hold: string };

export interface HoldsDecision {
  readonly holds: readonly Hold[];
  /** To be written before any permission is used, so that neither a restart nor a new leader forgets it. */
  readonly taken: readonly TakenAway[];
  /** By cause and key. Whom it does not name waits: it is not certain yet. */
  readonly permissions: ReadonlyMap<HoldCause, ReadonlyMap<string, Permission>>;
}

/**
 * A hold begins when the Users that would lose now, together with those that lost lately without a word of an admin,
 * are too many; whoever comes later joins it. It ends with its last member: confirmed and begun, or the cause is gone.
 * A confirmation is for those who were held when it came. Who comes after is counted anew.
 */
export function decideHolds(observed: HoldsObserved, now: Date): HoldsDecision {
  const holds: Hold[] = [];
  let taken = observed.taken;
  const permissions = new Map<HoldCause, Map<string, Permission>>();
  for (const affected of observed.affected) {
    const decided = decideCause(affected, observed, now);
    holds.push(...decided.holds);
    permissions.set(affected.cause, decided.permissions);
    if (decided.taken > 0) taken = withTaken(taken, affected.cause, decided.taken, now);
  }
  return { holds, taken, permissions };
}

function decideCause(
  { cause, subjects, standing }: Affected,
  { holds, taken, confirmed, freshId }: HoldsObserved,
  now: Date,
): { holds: Hold[]; permissions: Map<string, Permission>; taken: number } {
  const mine = holds.filter((hold) => hold.cause === cause);
  const going = new Map<string, number>();
  const permissions = new Map<string, Permission>();
  const asked: Subject[] = [];
  for (const subject of subjects) {
    const hold = mine.find(({ id }) => id === subject.hold && confirmed.has(id))?.id;
    if (hold !== undefined) going.set(hold, (going.get(hold) ?? 0) + usersOf([subject]));
    if (subject.given || (hold !== undefined && subject.certain))
      permissions.set(subject.key, { given: true, hold });
    else if (hold !== undefined) permissions.set(subject.key, { given: false, hold });
    else asked.push(subject);
  }
  const kept: Hold[] = [];
  for (const hold of mine) {
    const left = going.get(hold.id);
    if (left !== undefined) kept.push({ ...hold, affected: left, confirmed: true });
  }
  if (asked.length === 0) return { holds: kept, permissions, taken: 0 };

  const before = takenLately(taken, cause, now);
  const losers = usersOf(asked);
  const of = standing + losers + before;
  const open = mine.find(({ id }) => !confirmed.has(id));
  const isHeld =
    open !== undefined ||
    CAUSES[cause].always === true ||
    asked.some(({ unmeant }) => unmeant) ||
    isAccident(losers + before, of);
  if (!isHeld) {
    const certain = asked.filter((subject) => subject.certain);
    for (const { key } of certain) permissions.set(key, { given: true });
    return { holds: kept, permissions, taken: usersOf(certain) };
  }
  const hold: Hold = {
    id: open?.id ?? freshId(cause),
    cause,
    affected: losers,
    of,
    since: open?.since ?? timestamp(now),
    confirmed: false,
  };
  for (const { key } of asked) permissions.set(key, { given: false, hold: hold.id });
  return { holds: [...kept, hold], permissions, taken: 0 };
}

/**
 * The hold that Users were counted for of whom nothing is left that could bear its mark, when a new leader begins: the
 * one that is confirmed, unless more are affected now than were then.
 */
export function rejoined(
  { cause, subjects }: Affected,
  { holds, confirmed }: Pick<HoldsObserved, 'holds' | 'confirmed'>,
): string | undefined {
  return holds.find(
    (hold) => hold.cause === cause && confirmed.has(hold.id) && subjects.length <= hold.affected,
  )?.id;
}

const usersOf = (subjects: readonly Subject[]) => subjects.reduce((sum, { users = 1 }) => sum + users, 0);

const isRecent = ({ at }: TakenAway, now: Date) => Date.parse(at) + GRAIN_MS + WINDOW_MS > now.getTime();

function takenLately(taken: readonly TakenAway[], cause: HoldCause, now: Date): number {
  return taken
    .filter((entry) => entry.cause === cause && isRecent(entry, now))
    .reduce((sum, { users }) => sum + users, 0);
}

function withTaken(
  taken: readonly TakenAway[],
  cause: HoldCause,
  users: number,
  now: Date,
): readonly TakenAway[] {
  const at = timestamp(new Date(Math.floor(now.getTime() / GRAIN_MS) * GRAIN_MS));
  const recent = taken.filter((entry) => isRecent(entry, now));
  const old = recent.find((entry) => entry.cause === cause && entry.at === at);
  const others = recent.filter((entry) => entry !== old);
  return [...others, { cause, at, users: (old?.users ?? 0) + users }];
}
