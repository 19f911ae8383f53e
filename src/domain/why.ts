// Explains in one paragraph why a user has a token, or none: the state, since when, the cause, what to do next.
import type { Condition } from '../api/metadata.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { User } from '../api/user.ts';
import { effectiveNamespace, effectiveUsername } from './effective.ts';

/** An Event as it is told: what happened, and when for the last time. */
export interface ToldEvent {
  readonly at: Date;
  readonly reason: string;
  readonly note: string;
  readonly count: number;
}

/** What is to be explained; `undefined` is what the person who asks may not read, or what is not there. */
export interface Evidence {
  readonly user: User;
  readonly policy: TokenPolicy | undefined;
  /** By the annotation of the Secret, while there is a token in it. */
  readonly tokenExpiresAt: Date | undefined;
  /** Whether a replica leads now. */
  readonly isLed: boolean | undefined;
  /** Of the User and of the TokenPolicy. */
  readonly events: readonly ToldEvent[] | undefined;
}

const MOST_EVENTS = 5;

/** One paragraph of plain text, without control characters: others may have written some into an Event. */
export function explain(evidence: Evidence, now: Date): string {
  return printable(
    [
      state(evidence, now),
      ...doubts(evidence, now),
      session(evidence, now),
      token(evidence, now),
      ...others(evidence, now),
      history(evidence.events, now),
    ]
      .filter((sentence) => sentence !== '')
      .join(' '),
  );
}

export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

const conditionOf = (
  subject: { readonly status?: { readonly conditions?: readonly Condition[] | undefined } } | undefined,
  type: string,
) => subject?.status?.conditions?.find((condition) => condition.type === type);

function state({ user }: Evidence, now: Date): string {
  const { name } = user.metadata;
  const [username, namespace] = [effectiveUsername(user), effectiveNamespace(user)];
  const also = [username !== name && `username ${username}`, namespace !== name && `namespace ${namespace}`];
  const who = [name, ...also.filter((part) => part !== false)].join(', ');
  const ready = conditionOf(user, 'Ready');
  if (!ready)
    return `${who}: Latchkey has not looked at this User yet. See whether it runs: kubectl get pods -A -l app.kubernetes.io/name=latchkey.`;
  const since = sinceWhen(ready.lastTransitionTime, now);
  return ready.status === 'True'
    ? `${who}: has a token, since ${since}. ${ready.message}`
    : `${who}: has no token (${ready.reason}), since ${since}. ${ready.message}${later(user, ready, now)}`;
}

/** A condition keeps its time while only its reason changes: then another one knows since when the reason is so. */
function later(user: User, ready: Condition, now: Date): string {
  const same = (user.status?.conditions ?? []).find(
    ({ type, reason }) => type !== 'Ready' && reason === ready.reason,
  );
  const isLater = same && Date.parse(same.lastTransitionTime) > Date.parse(ready.lastTransitionTime);
  return isLater ? ` That is so since ${sinceWhen(same.lastTransitionTime, now)}.` : '';
}

/** What makes the state less than certain. */
function doubts({ user, isLed }: Evidence, now: Date): string[] {
  const { deletionTimestamp, finalizers = [], generation = 0 } = user.metadata;
  const foreign = finalizers.filter((name) => !name.startsWith('latchkey.dev/'));
  return [
    user.status && (user.status.observedGeneration ?? 0) < generation
      ? 'The User was changed since, and Latchkey has not taken that up yet.'
      : '',
    deletionTimestamp === undefined
      ? ''
      : `It is being deleted since ${sinceWhen(deletionTimestamp, now)}${foreign.length > 0 ? `, and kept by finalizers of others: ${foreign.join(', ')}` : ''}.`,
    isLed === false ? 'No Latchkey leads at the moment, so this may be old, and nothing changes.' : '',
  ];
}

function session({ user }: Evidence, now: Date): string {
  const startedAt = user.status?.session?.startedAt;
  if (startedAt !== undefined) return `Signed in since ${sinceWhen(startedAt, now)}.`;
  const signedIn = conditionOf(user, 'SignedIn');
  if (!signedIn || signedIn.reason === conditionOf(user, 'Ready')?.reason) return '';
  if (signedIn.reason === 'NeverSignedIn') return 'Has never signed in.';
  return `Not signed in (${signedIn.reason}), since ${sinceWhen(signedIn.lastTransitionTime, now)}. ${signedIn.message}`;
}

function token({ tokenExpiresAt }: Evidence, now: Date): string {
  if (!tokenExpiresAt) return '';
  const leftMs = tokenExpiresAt.getTime() - now.getTime();
  return leftMs > 0
    ? `The token in the Secret access-token lives for another ${span(leftMs)}.`
    : `The token in the Secret access-token expired ${span(-leftMs)} ago.`;
}

/** Conditions that say no and are not the one that the state names. */
function others({ user, policy }: Evidence, now: Date): string[] {
  const named = conditionOf(user, 'Ready')?.reason;
  const ofPolicy = conditionOf(policy, 'Ready');
  const ofUser = (user.status?.conditions ?? []).filter(
    ({ type, status, reason }) =>
      type !== 'Ready' && type !== 'SignedIn' && status !== 'True' && reason !== named,
  );
  return [
    ...ofUser.map(
      ({ type, status, reason, message, lastTransitionTime }) =>
        `${type} is ${status} (${reason}), since ${sinceWhen(lastTransitionTime, now)}: ${message}`,
    ),
    ofPolicy?.status === 'False' && ofPolicy.reason !== named
      ? `The TokenPolicy (${ofPolicy.reason}), since ${sinceWhen(ofPolicy.lastTransitionTime, now)}: ${ofPolicy.message}`
      : '',
  ];
}

function history(events: Evidence['events'], now: Date): string {
  if (!events) return 'You may not read Events in the namespace default, which say what happened.';
  const latest = events.toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, MOST_EVENTS);
  if (latest.length === 0) return 'Nothing happened lately that Kubernetes still knows of.';
  const told = latest.map(({ at, reason, note, count }) => {
    const times = count > 1 ? `, ${count} times` : '';
    return `${span(now.getTime() - at.getTime())} ago ${reason}${times}: ${note}`;
  });
  return `Lately, the newest first: ${told.join(' ')}`;
}

function sinceWhen(time: string, now: Date): string {
  return `${time} (${span(now.getTime() - Date.parse(time))} ago)`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['day', 24 * 60 * 60_000],
  ['hour', 60 * 60_000],
  ['minute', 60_000],
  ['second', 1_000],
];

/** The largest whole unit: "3 hours". What is not over yet by our clock counts as 0 seconds. */
function span(ms: number): string {
  const [unit, length] = UNITS.find(([, size]) => ms >= size) ?? ['second', 1_000];
  const count = Math.max(Math.floor(ms / length), 0) || 0;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
