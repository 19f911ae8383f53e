// Decides the status of the TokenPolicy: above all, when a new epoch has to end every session.
import type { Condition } from '../api/metadata.ts';
import type {
  Hold,
  PolicyDirectoryStatus,
  TakenAway,
  TokenPolicy,
  TokenPolicyStatus,
} from '../api/token-policy.ts';
import { withCondition, withoutCondition, type ConditionUpdate } from './conditions.ts';
import type { Cause, Happening } from './happening.ts';
import { earliest } from './directory.ts';
import {
  decideHearing,
  DIRECTORY_REACHABLE,
  hearingCondition,
  REVOKED_MESSAGE,
  type Hearing,
} from './hearing.ts';
import { heldCondition } from './held-condition.ts';
import { decideLicense, type LicenseReading } from './license.ts';
import { licenseText, type LicenseText } from './license-texts.ts';
import type { CannotMint } from './observed.ts';
import { policyStands } from './policy-stands.ts';
import { unbroken, type Witness } from './witness.ts';

interface PolicyObserved {
  readonly policy: TokenPolicy;
  readonly seen: Witness | undefined;
  readonly license: LicenseReading;
  /** Undefined where the directory is not watched. */
  readonly hearing: Hearing | undefined;
  readonly cannotMint: CannotMint | undefined;
  readonly holds: readonly Hold[];
  readonly taken: readonly TakenAway[];
  /** 128 random bits, used if a new epoch is due. */
  readonly freshEpoch: string;
}

export interface PolicyDecision {
  readonly status: TokenPolicyStatus;
  /** What is told once the status is written. */
  readonly happenings: readonly Happening[];
  /** When to look again, by the licence's clock; undefined while only a change can matter. */
  readonly lookAgainAt: Date | undefined;
}

/**
 * The epoch changes when a gate that is everybody's shuts: once, by level, because the status remembers that it was
 * shut. It also changes after changes that nobody watched, which may have shut it for a moment.
 */
export function decidePolicy(
  { policy, seen, license, hearing, cannotMint, holds, taken, freshEpoch }: PolicyObserved,
  now: Date,
): PolicyDecision {
  const old = policy.status ?? {};
  const generation = policy.metadata.generation ?? 0;
  const wasShut = reasonOf(old.conditions, 'Ready') === SWITCHED_OFF;
  const shutsNow = !policy.spec.enabled && !wasShut;
  const gapless = old.observedGeneration === undefined || unbroken(old.observedGeneration, generation, seen);
  const licensed = decideLicense(license, old.license);
  // As it will be accounted for: a lapse is over with the epoch that is drawn for it.
  const text = licenseText(license, licensed.status);
  const heard = decideHearing(old.directory, policy.spec.directory, hearing, now);
  const held = heldCondition(holds, old.conditions);
  const updates = [
    ready(policy, text, heard.status, cannotMint),
    ...(heard.status ? [hearingCondition(heard.status, policy.spec.directory, hearing)] : []),
    ...(text ? [condition(text)] : []),
    ...(held ? [held] : []),
  ];
  let conditions = text ? (old.conditions ?? []) : withoutCondition(old.conditions, LICENSED);
  if (!heard.status) conditions = withoutCondition(conditions, DIRECTORY_REACHABLE);
  for (const update of updates)
    conditions = withCondition(conditions, { ...update, observedGeneration: generation }, now);
  const ended = shutsNow || !gapless || licensed.endsSessions || heard.endsSessions;
  const cause = !policy.spec.enabled
    ? SWITCHED_OFF_CAUSE
    : licensed.endsSessions
      ? licenseCause(text)
      : heard.endsSessions
        ? { reason: DIRECTORY_UNREACHABLE, message: REVOKED_MESSAGE }
        : UNWATCHED_CHANGE;
  const happenings: Happening[] = [];
  if (text && text.reason !== reasonOf(old.conditions, LICENSED))
    happenings.push({ what: 'License', policy, ...text });
  if (ended && old.epoch !== undefined) happenings.push({ what: 'EverySessionEnded', policy, cause });
  return {
    status: {
      epoch: ended || old.epoch === undefined ? freshEpoch : old.epoch,
      observedGeneration: generation,
      license: licensed.status,
      ...(heard.status && { directory: heard.status }),
      ...(holds.length > 0 && { holds: [...holds] }),
      ...(taken.length > 0 && { taken: [...taken] }),
      conditions,
    },
    happenings,
    lookAgainAt: earliest(licensed.lookAgainAt, heard.lookAgainAt),
  };
}

/** Whether the status says what follows from the policy as it is: before that nothing is minted by it. */
export function isAccounted({ metadata, status }: TokenPolicy): boolean {
  return status?.observedGeneration === metadata.generation;
}

/** Whether every User is decided alike under both: what is held, and who was let go, is no matter of all of them. */
export function decidesAlike(a: TokenPolicy | undefined, b: TokenPolicy | undefined): boolean {
  return everybodys(a) === everybodys(b);
}

function everybodys(policy: TokenPolicy | undefined): string {
  const { uid, generation } = policy?.metadata ?? {};
  const { epoch, observedGeneration, license, directory } = policy?.status ?? {};
  return JSON.stringify([
    uid,
    generation,
    policy && policyStands(policy),
    epoch,
    observedGeneration,
    license,
    directory?.state,
  ]);
}

const LICENSED = 'Licensed';

function condition({ isGood, reason, message }: LicenseText): ConditionUpdate {
  return { type: LICENSED, status: isGood ? 'True' : 'False', reason, message };
}

/** What is told of the licence when its end, or its absence, has ended every session. */
function licenseCause(text: LicenseText | undefined): Cause {
  if (text && !text.isGood) return { reason: text.reason, message: text.message };
  return {
    reason: 'LicenseLapsed',
    message:
      'The licence was renewed after the one before it had ended, while nobody watched, so everybody signs in again.',
  };
}

function reasonOf(conditions: readonly Condition[] | undefined, type: string): string | undefined {
  return conditions?.find((one) => one.type === type)?.reason;
}

const DIRECTORY_UNREACHABLE = 'DirectoryUnreachable';
const SWITCHED_OFF = 'SwitchedOff';
const SWITCHED_OFF_CAUSE: Cause = {
  reason: SWITCHED_OFF,
  message: 'An admin has set spec.enabled to false. After it is true again, everybody signs in again.',
};
const UNWATCHED_CHANGE: Cause = {
  reason: 'UnwatchedChange',
  message: 'The TokenPolicy was changed while nobody watched, so everybody signs in again.',
};

function ready(
  policy: TokenPolicy,
  license: LicenseText | undefined,
  directory: PolicyDirectoryStatus | undefined,
  cannotMint: CannotMint | undefined,
): ConditionUpdate {
  if (!policy.spec.enabled)
    return {
      type: 'Ready',
      status: 'False',
      reason: SWITCHED_OFF,
      message: 'spec.enabled is false: nobody has a token. After it is true again, everybody signs in again.',
    };
  if (license && !license.isGood) return { ...condition(license), type: 'Ready' };
  if (directory?.state === 'GracePeriodOver')
    return { type: 'Ready', status: 'False', reason: DIRECTORY_UNREACHABLE, message: REVOKED_MESSAGE };
  if (cannotMint) return { type: 'Ready', status: 'False', ...cannotMint };
  return { type: 'Ready', status: 'True', reason: 'Enabled', message: 'Whoever is signed in has a token.' };
}
