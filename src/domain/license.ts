// What a licence is worth at a moment: good or not and why, and whether there was a time without one that nobody watched.
import type { LicenseStatus } from '../api/token-policy.ts';
import { timestamp } from './conditions.ts';

export interface License {
  /** Names it, for the vendor and in logs; not a credential. */
  readonly id: string;
  readonly customer: string;
  /** How many Users may have a token. */
  readonly users: number;
  readonly notBefore: Date;
  readonly expiresAt: Date;
}

/** What is in the Secret, as far as the vendor's key vouches for it. */
export type LicenseContent =
  | { readonly kind: 'NotRequired' }
  | { readonly kind: 'Missing' }
  /** `problem` is a sentence for an admin, without anything of the content. */
  | { readonly kind: 'Invalid'; readonly problem: string }
  | {
      readonly kind: 'Verified';
      readonly license: License;
      /** When it was put into the Secret, to the second below; undefined where the Secret does not tell. */
      readonly writtenAt: Date | undefined;
    };

export interface LicenseReading {
  readonly content: LicenseContent;
  /** The time of the licence's clock. */
  readonly at: Date;
  /** Set where no two clocks have agreed yet: `at` is then the earliest time that it may be. */
  readonly mayBeLater?: boolean;
}

export interface Assessment {
  readonly state: LicenseStatus['state'];
  /** There where the vendor's key vouches for one. */
  readonly license?: License;
  /**
   * The licence that the policy accounts for has ended, and the one that is there now was not in place by then: every
   * session from before is over, although both looks found a good licence.
   */
  readonly lapsed: boolean;
}

const DAY_MS = 24 * 3_600_000;
/** How long ahead of its end a licence is said to be expiring, and said so once more. */
export const EXPIRING_MS = 30 * DAY_MS;
export const EXPIRING_SOON_MS = 7 * DAY_MS;
/** How far the persisted time may be behind: what setting every clock back, and a restart, could win. */
const MARK_EVERY_MS = 3_600_000;
/** How soon to look again for a clock to believe; that clocks agree again is told at once. */
const DOUBT_MS = 60_000;

const GOOD: ReadonlySet<LicenseStatus['state']> = new Set(['NotRequired', 'Valid', 'Expiring']);

export function isGood(state: LicenseStatus['state']): boolean {
  return GOOD.has(state);
}

/** @param accounted what the policy's status says: it remembers the latest time, and the licence that was last good */
export function assess(reading: LicenseReading, accounted: LicenseStatus | undefined): Assessment {
  const { content } = reading;
  if (content.kind !== 'Verified') return { state: content.kind, lapsed: false };
  const { license, writtenAt } = content;
  const now = licenseTime(reading, accounted);
  const state = stateAt(license, now);
  return { state, license, lapsed: isGood(state) && hasLapsed(license, writtenAt, accounted, now) };
}

/** A clock that was set back counts as standing still. */
function licenseTime({ at }: LicenseReading, accounted: LicenseStatus | undefined): number {
  return Math.max(at.getTime(), accounted?.latestTime === undefined ? 0 : Date.parse(accounted.latestTime));
}

/** RFC 7519, sections 4.1.4 and 4.1.5: good from nbf on, and no more at exp. */
function stateAt({ notBefore, expiresAt }: License, now: number): LicenseStatus['state'] {
  if (now < notBefore.getTime()) return 'NotYetValid';
  if (now >= expiresAt.getTime()) return 'Expired';
  return now >= expiresAt.getTime() - EXPIRING_MS ? 'Expiring' : 'Valid';
}

function hasLapsed(
  license: License,
  writtenAt: Date | undefined,
  accounted: LicenseStatus | undefined,
  now: number,
): boolean {
  const accountedEnd = goodUntil(accounted);
  if (accountedEnd === undefined) return false;
  const end = Date.parse(accountedEnd);
  if (end > now) return false;
  // A time in managedFields is cut to whole seconds, so one that equals the end may be later.
  const wasInPlace = writtenAt !== undefined && writtenAt.getTime() < end;
  return !wasInPlace || license.notBefore.getTime() > end;
}

/** Whether the licence before it may have ended in between: it is not to be forgotten until the time is known. */
function mayHaveLapsed({ expiresAt }: License, accounted: LicenseStatus): boolean {
  const accountedEnd = goodUntil(accounted);
  return accountedEnd !== undefined && accountedEnd !== timestamp(expiresAt);
}

/** When the licence ends, or ended, that was good when it was accounted for. */
function goodUntil(accounted: LicenseStatus | undefined): string | undefined {
  return accounted && isGood(accounted.state) ? accounted.expiresAt : undefined;
}

export interface LicenseDecision {
  readonly status: LicenseStatus;
  /** Whether every session ends: the licence has ended now, or did so while nobody watched. */
  readonly endsSessions: boolean;
  /** When to look again, by the licence's clock; undefined while only a change can matter. */
  readonly lookAgainAt: Date | undefined;
}

export function decideLicense(
  reading: LicenseReading,
  accounted: LicenseStatus | undefined,
): LicenseDecision {
  const { state, license, lapsed } = assess(reading, accounted);
  if (state === 'NotRequired') return { status: { state }, endsSessions: false, lookAgainAt: undefined };
  const now = licenseTime(reading, accounted);
  if (accounted && license && reading.mayBeLater && isGood(state) && mayHaveLapsed(license, accounted))
    return { status: accounted, endsSessions: false, lookAgainAt: new Date(now + DOUBT_MS) };
  const found = { state, ...(license && described(license)) };
  const latestTime = mark(found, accounted, now);
  const closes = !isGood(state) && (accounted === undefined || isGood(accounted.state));
  return {
    status: { ...found, latestTime },
    endsSessions: closes || lapsed,
    lookAgainAt: nextLook(license, latestTime, now),
  };
}

function described({ id, customer, users, notBefore, expiresAt }: License): Omit<LicenseStatus, 'state'> {
  return { id, customer, users, notBefore: timestamp(notBefore), expiresAt: timestamp(expiresAt) };
}

/** The latest time is written with whatever else changes, and seldom by itself: an idle cluster is left idle. */
function mark(found: LicenseStatus, accounted: LicenseStatus | undefined, now: number): string {
  const { latestTime, ...before } = accounted ?? { state: 'NotRequired' };
  if (latestTime === undefined || now - Date.parse(latestTime) >= MARK_EVERY_MS || differ(before, found))
    return timestamp(new Date(now));
  return latestTime;
}

function differ(a: LicenseStatus, b: LicenseStatus): boolean {
  const keys = ['state', 'id', 'customer', 'users', 'notBefore', 'expiresAt'] as const;
  return keys.some((key) => a[key] !== b[key]);
}

function nextLook(license: License | undefined, latestTime: string, now: number): Date {
  const markDue = Date.parse(latestTime) + MARK_EVERY_MS;
  if (!license) return new Date(markDue);
  const end = license.expiresAt.getTime();
  const turns = [license.notBefore.getTime(), end - EXPIRING_MS, end - EXPIRING_SOON_MS, end];
  return new Date(Math.min(markDue, ...turns.filter((turn) => turn > now)));
}
