// What the directory's word does to a User: the state that its status should have, and when to look again.
import type { TokenPolicy } from '../api/token-policy.ts';
import type { DirectoryStatus, User } from '../api/user.ts';
import { timestamp } from './conditions.ts';
import { durationMs } from '../duration.ts';
import type { DirectoryView, Finding } from './finding.ts';
import { groupsOf, isOnboarded } from './onboarding.ts';
import { standingAt } from './standing.ts';

/** Of a User whose account is unknown for too long, where the policy then takes the token away. */
export const GRACE_PERIOD_OVER = 'GracePeriodOver';

interface Word {
  readonly state: NonNullable<DirectoryStatus['state']>;
  readonly reason?: string | undefined;
  readonly attribute?: string | undefined;
  readonly changesAt?: Date | undefined;
}

export interface DirectoryDecision {
  /** For the status of the User. */
  readonly status: DirectoryStatus | undefined;
  readonly lookAgainAt: Date | undefined;
}

/** startedAt of a session is cut off to the second. */
const GRAIN_MS = 1_000;

/** What the directory says of a User, as the status is to have it: the state of the account, and its groups. */
export function decideDirectory(
  user: User,
  policy: TokenPolicy | undefined,
  view: DirectoryView | undefined,
  now: Date,
): DirectoryDecision {
  const { status, lookAgainAt } = decideState(user, policy, view, now);
  const decided = withGroups(status, user, policy, view?.membership);
  const again = decided.isOutdated ? new Date(now.getTime() + NEXT_SWEEP_MS) : undefined;
  return { status: decided.status, lookAgainAt: earliest(lookAgainAt, again) };
}

/** How often is looked whether another sweep has come after one that was begun before the sign-in. */
const NEXT_SWEEP_MS = 5_000;

/** As with everything else, what was asked before the sign-in takes nothing from the session. */
function withGroups(
  status: DirectoryStatus | undefined,
  user: User,
  policy: TokenPolicy | undefined,
  membership: DirectoryView['membership'],
): { status: DirectoryStatus | undefined; isOutdated?: true } {
  const { groups: old, ...rest } = status ?? {};
  if (policy && !policy.spec.onboarding) return { status: old ? rest : status };
  if (!policy || !membership) return { status };
  const groups = groupsOf(user, policy, membership);
  if (JSON.stringify(groups) === JSON.stringify(old)) return { status };
  const { session } = user.status ?? {};
  if (session && membership.askedAt.getTime() < Date.parse(session.startedAt) + GRAIN_MS)
    return { status, isOutdated: true };
  return { status: { ...rest, ...(groups && { groups: [...groups] }) } };
}

/**
 * The state of the account.
 *
 * A question that was asked before the user signed in cannot end that session: the sign-in has heard a later answer.
 * Where nothing is known yet, what the status says stands: after a restart nobody becomes active by having been
 * forgotten, nor inactive by not having been looked at. Nobody who was inactive becomes active by being unknown.
 */
function decideState(
  user: User,
  policy: TokenPolicy | undefined,
  view: DirectoryView | undefined,
  now: Date,
): DirectoryDecision {
  const old = user.status?.directory;
  const finding = view?.finding;
  const askedAt = view?.askedAt;
  if (!finding || !askedAt) return withGrace(old, policy, now);
  const { session } = user.status ?? {};
  const isOutdated = session !== undefined && askedAt.getTime() < Date.parse(session.startedAt) + GRAIN_MS;
  const word = wordOf(finding, old?.id, policy, now);
  if (isOutdated) {
    const decision = withGrace(old, policy, now);
    // The watch tells only of what changes: a later answer that says the same has to be looked for.
    const soon = word.state === 'Active' ? undefined : new Date(now.getTime() + GRAIN_MS);
    return { ...decision, lookAgainAt: earliest(decision.lookAgainAt, soon, word.changesAt) };
  }
  if (word.state === 'Unknown' && isOut(old)) return { status: old, lookAgainAt: word.changesAt };
  const { status, lookAgainAt } = withGrace(next(old, word, now), policy, now);
  return { status, lookAgainAt: earliest(word.changesAt, lookAgainAt) };
}

function wordOf(
  finding: Finding,
  pinned: string | undefined,
  policy: TokenPolicy | undefined,
  now: Date,
): Word {
  if (finding.state === 'Missing') return { state: 'Missing', reason: 'NotFound' };
  if (finding.state === 'Ambiguous') return { state: 'Unknown', reason: 'Ambiguous' };
  if (pinned !== undefined && finding.id !== undefined && finding.id !== pinned)
    return { state: 'Inactive', reason: 'Replaced' };
  const standing = standingAt(finding.spells, now, policy?.spec.directory.endSessionOn);
  const { state, reason, attribute, changesAt } = standing;
  return { state, reason, attribute, changesAt };
}

/** `since` moves only when something else is said; an account that goes on being unknown goes on using up its grace. */
function next(
  old: DirectoryStatus | undefined,
  { state, reason, attribute }: Word,
  now: Date,
): DirectoryStatus {
  if (old?.state === state && old.reason === reason && old.attribute === attribute) return old;
  const since = old?.state === state && old.since !== undefined ? old.since : timestamp(now);
  return {
    state,
    ...(reason !== undefined && { reason }),
    ...(attribute !== undefined && { attribute }),
    since,
    ...(old?.id !== undefined && { id: old.id }),
    ...(old?.groups && { groups: old.groups }),
  };
}

function withGrace(
  status: DirectoryStatus | undefined,
  policy: TokenPolicy | undefined,
  now: Date,
): DirectoryDecision {
  if (status?.state !== 'Unknown' || status.since === undefined || !policy)
    return { status, lookAgainAt: undefined };
  const { onUnreachable, gracePeriod } = policy.spec.directory;
  if (onUnreachable === 'Keep') return { status, lookAgainAt: undefined };
  const over = new Date(Date.parse(status.since) + durationMs(gracePeriod));
  return now < over
    ? { status, lookAgainAt: over }
    : { status: { ...status, reason: GRACE_PERIOD_OVER }, lookAgainAt: undefined };
}

/**
 * Whether this word of the directory costs the User its session: then it is counted first, with those of everybody
 * else. A User without a session has nothing to lose, and one that has lost it does not lose it again.
 */
export function endsSession(user: User, word: DirectoryStatus | undefined): boolean {
  if (user.status?.session === undefined) return false;
  const isLost = (status: DirectoryStatus | undefined) => isOut(status) || hasLeft(user, status);
  return isLost(word) && !isLost(user.status.directory);
}

/** Of a User that was made for being in a group: whether it is known to be in none any more. */
function hasLeft(user: User, status: DirectoryStatus | undefined): boolean {
  return isOnboarded(user) && status?.groups?.length === 0;
}

function isOut(status: DirectoryStatus | undefined): boolean {
  return status?.state === 'Inactive' || status?.state === 'Missing';
}

/** The status of a User that has just signed in: the directory itself has said yes. */
export function afterSignIn(
  old: DirectoryStatus | undefined,
  id: string | undefined,
  now: Date,
  groups?: readonly string[],
): DirectoryStatus {
  const pinned = id ?? old?.id;
  return {
    state: 'Active',
    since: old?.state === 'Active' && old.since !== undefined ? old.since : timestamp(now),
    ...(pinned !== undefined && { id: pinned }),
    ...(groups && { groups: [...groups] }),
  };
}

export function earliest(...dates: readonly (Date | undefined)[]): Date | undefined {
  let first: Date | undefined;
  for (const date of dates) if (date && (!first || date < first)) first = date;
  return first;
}
