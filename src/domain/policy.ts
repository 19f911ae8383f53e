// Decides the status of the TokenPolicy: above all, when a new epoch has to end every session.
import type { TokenPolicy, TokenPolicyStatus } from '../api/token-policy.ts';
import { withCondition, type ConditionUpdate } from './conditions.ts';
import type { CannotMint } from './observed.ts';
import { unbroken, type Witness } from './witness.ts';

interface PolicyObserved {
  readonly policy: TokenPolicy;
  readonly seen: Witness | undefined;
  readonly cannotMint: CannotMint | undefined;
  /** 128 random bits, used if a new epoch is due. */
  readonly freshEpoch: string;
}

/**
 * The epoch changes when the gate that is everybody's shuts: once, by level, because the condition remembers that it
 * was shut. It also changes after changes that nobody watched, which may have shut it for a moment.
 */
export function decidePolicy(
  { policy, seen, cannotMint, freshEpoch }: PolicyObserved,
  now: Date,
): TokenPolicyStatus {
  const old = policy.status ?? {};
  const generation = policy.metadata.generation ?? 0;
  const wasShut = old.conditions?.find(({ type }) => type === 'Ready')?.reason === SWITCHED_OFF;
  const shutsNow = !policy.spec.enabled && !wasShut;
  const gapless = old.observedGeneration === undefined || unbroken(old.observedGeneration, generation, seen);
  const epoch = old.epoch === undefined || shutsNow || !gapless ? freshEpoch : old.epoch;
  return {
    epoch,
    observedGeneration: generation,
    conditions: withCondition(
      old.conditions,
      { ...ready(policy, cannotMint), observedGeneration: generation },
      now,
    ),
  };
}

const SWITCHED_OFF = 'SwitchedOff';

function ready(policy: TokenPolicy, cannotMint: CannotMint | undefined): ConditionUpdate {
  if (!policy.spec.enabled)
    return {
      type: 'Ready',
      status: 'False',
      reason: SWITCHED_OFF,
      message: 'spec.enabled is false: nobody has a token. After it is true again, everybody signs in again.',
    };
  if (cannotMint) return { type: 'Ready', status: 'False', ...cannotMint };
  return { type: 'Ready', status: 'True', reason: 'Enabled', message: 'Whoever is signed in has a token.' };
}
