// What the silence of the directory does to everybody: nothing, or, after a grace period and where the policy says so, all.
import type { PolicyDirectoryStatus, TokenPolicySpec } from '../api/token-policy.ts';
import type { ConditionUpdate } from './conditions.ts';
import { timestamp } from './conditions.ts';
import { durationMs } from '../duration.ts';

/** Whether the directory answers. */
export interface Hearing {
  /** When the last question was asked that was answered; undefined where none was. */
  readonly askedAt: Date | undefined;
  /** Every server of the directory was asked since, and none gave an answer that can be trusted. */
  readonly isSilent: boolean;
  /** While it is silent: why, in a word and in a sentence. */
  readonly fault?: { readonly fault: string; readonly message: string } | undefined;
}

export interface HearingDecision {
  readonly status: PolicyDirectoryStatus | undefined;
  /** Once, when the grace period has passed. */
  readonly endsSessions: boolean;
  readonly lookAgainAt: Date | undefined;
}

/** So often within a grace period it is written down that the directory was heard: a restart begins from there. */
const NOTES_PER_GRACE = 6;
const LEAST_NOTE_MS = 60_000;

/** @param hearing undefined where the directory is not watched */
export function decideHearing(
  old: PolicyDirectoryStatus | undefined,
  spec: TokenPolicySpec['directory'],
  hearing: Hearing | undefined,
  now: Date,
): HearingDecision {
  if (!hearing) return { status: undefined, endsSessions: false, lookAgainAt: undefined };
  const graceMs = durationMs(spec.gracePeriod);
  const { askedAt, isSilent, fault } = hearing;
  const known = old ? Date.parse(old.heardAt) : undefined;
  if (!isSilent) {
    if (!askedAt) return { status: old, endsSessions: false, lookAgainAt: undefined };
    const noteMs = Math.max(graceMs / NOTES_PER_GRACE, LEAST_NOTE_MS);
    const isNoted = old?.state === 'Reachable' && known !== undefined && askedAt.getTime() < known + noteMs;
    const status = isNoted ? old : ({ state: 'Reachable', heardAt: timestamp(askedAt) } as const);
    return { status, endsSessions: false, lookAgainAt: new Date(Date.parse(status.heardAt) + noteMs) };
  }
  // Where it was never heard, the grace period begins now.
  const heardAt = Math.max(askedAt?.getTime() ?? 0, known ?? (askedAt ? 0 : now.getTime()));
  const over = heardAt + graceMs;
  const isRevoked = spec.onUnreachable === 'Revoke' && now.getTime() >= over;
  const waits = spec.onUnreachable === 'Revoke' && !isRevoked;
  return {
    status: {
      state: isRevoked ? 'GracePeriodOver' : 'Unreachable',
      heardAt: timestamp(new Date(heardAt)),
      ...(fault && { fault: fault.fault }),
    },
    endsSessions: isRevoked && old?.state !== 'GracePeriodOver',
    lookAgainAt: waits ? new Date(over) : undefined,
  };
}

export const DIRECTORY_REACHABLE = 'DirectoryReachable';

/** @param hearing for the sentence on what is wrong; after a restart it is not there at once */
export function hearingCondition(
  { state, heardAt }: PolicyDirectoryStatus,
  { onUnreachable, gracePeriod }: TokenPolicySpec['directory'],
  hearing: Hearing | undefined,
): ConditionUpdate {
  const is = (status: 'True' | 'False', message: string) => ({
    type: DIRECTORY_REACHABLE,
    status,
    reason: state,
    message,
  });
  switch (state) {
    case 'Reachable':
      return is('True', 'The directory answers.');
    case 'Unreachable': {
      const over = timestamp(new Date(Date.parse(heardAt) + durationMs(gracePeriod)));
      const until = onUnreachable === 'Revoke' ? ` until ${over}, when every session ends` : '';
      return is(
        'False',
        `The directory was heard last at ${heardAt}. Nobody can sign in, and who is signed in is left alone${until}. ${hearing?.fault?.message ?? 'See the log of the leader.'}`,
      );
    }
    case 'GracePeriodOver':
      return is('False', REVOKED_MESSAGE);
    default:
      return state satisfies never;
  }
}

export const REVOKED_MESSAGE =
  'The directory has not answered for longer than the grace period (spec.directory of the TokenPolicy), so nobody has a token. Once it answers, everybody signs in again.';
