// Reads the times of directories: GeneralizedTime, the file times of Windows, days since 1970.

// RFC 4517, section 3.3.13.
const GENERALIZED_TIME =
  /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2}))?)?(?:[.,](\d{1,9}))?(?:Z|([+-])(\d{2})(\d{2})?)$/;

const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;

/** The first moment that no Date can hold. */
const END_OF_TIME_MS = 8.64e15;

/** Windows counts from 1601, Unix from 1970. */
const FILE_TIME_EPOCH_MS = 11_644_473_600_000;
const FILE_TIMES_PER_MS = 10_000n;
const NEVER = 0x7fff_ffff_ffff_ffffn;

/** @returns milliseconds since 1970; undefined for anything else */
export function generalizedTime(text: string): number | undefined {
  const match = GENERALIZED_TIME.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const date = new Date(0);
  // Date.UTC would take the year 99 for 1999.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, Math.min(second, 59));
  const exists =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second <= 60;
  if (!exists) return undefined;
  const lastFieldMs = match[6] !== undefined ? 1_000 : match[5] !== undefined ? MINUTE_MS : 60 * MINUTE_MS;
  const fraction = Math.floor(Number(`0.${match[7] ?? 0}`) * lastFieldMs);
  const offset = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * MINUTE_MS;
  return date.getTime() + fraction - (match[8] === '-' ? -offset : offset);
}

/**
 * A time of Active Directory: 100 ns since 1601, where 0 and 9223372036854775807 mean never.
 * @returns milliseconds since 1970; Infinity for never
 * @see https://learn.microsoft.com/en-us/windows/win32/adschema/a-accountexpires
 */
export function fileTime(value: bigint): number {
  if (value === 0n || value >= NEVER) return Infinity;
  return Number(value / FILE_TIMES_PER_MS) - FILE_TIME_EPOCH_MS;
}

/** Days since 1970 (shadow(5)). @returns milliseconds since 1970; Infinity for what no calendar reaches */
export function daysSince1970(days: bigint): number {
  const ms = Number(days) * DAY_MS;
  return ms >= END_OF_TIME_MS ? Infinity : ms;
}
