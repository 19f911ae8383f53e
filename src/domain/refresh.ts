// When a token is replaced, and when it is too old to be left in its Secret.
import type { TokenPolicy } from '../api/token-policy.ts';
import { durationMs } from '../duration.ts';
import { fraction } from './digest.ts';

/** A token is replaced at an age between these shares of `ttl - minRemaining`. */
const EARLIEST = 0.45;
export const LATEST = 0.75;

export interface Lifetime {
  readonly ttlMs: number;
  readonly minRemainingMs: number;
}

/** A policy is read once, and asked for by every decision. */
const known = new WeakMap<TokenPolicy, Lifetime>();

export function lifetime(policy: TokenPolicy): Lifetime {
  const read = known.get(policy);
  if (read) return read;
  const { ttl, minRemaining } = policy.spec.accessToken;
  const life = { ttlMs: durationMs(ttl), minRemainingMs: durationMs(minRemaining) };
  known.set(policy, life);
  return life;
}

/**
 * When the token that expires at `expiresAt` is due for replacement. The moment differs from user to user and from
 * token to token, so that a cluster whose users signed in together does not refresh them together; it is the same on
 * every replica. Counted back from the expiry, so that a shorter ttl in the policy takes effect on old tokens too.
 */
export function refreshAt(userUID: string, expiresAt: Date, { ttlMs, minRemainingMs }: Lifetime): Date {
  const share = EARLIEST + (LATEST - EARLIEST) * fraction(`${userUID} ${expiresAt.getTime()}`);
  return new Date(expiresAt.getTime() - ttlMs + share * (ttlMs - minRemainingMs));
}

/** How far apart clocks may be before nothing is minted. */
export const CLOCKS_APART_MS = 5_000;
/** To take it out takes a write, and whoever reads it may have a clock that is ahead by as much as is tolerated. */
const FLOOR_AHEAD_MS = CLOCKS_APART_MS;

/** When the token that expires at `expiresAt` has to leave the Secret, replaced or not, so as not to be read below the floor. */
export function floorAt(expiresAt: Date, { minRemainingMs }: Lifetime): Date {
  return new Date(expiresAt.getTime() - minRemainingMs - FLOOR_AHEAD_MS);
}
