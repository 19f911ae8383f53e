// Durations as a TokenPolicy has them, in its schema, in the settings that make one, and in milliseconds.

/** One number and one unit, which CEL's duration() reads, too. CEL fails on more than 292 years. */
export const DURATION = '^[1-9][0-9]{0,5}(s|m|h)$';

const PATTERN = new RegExp(DURATION);
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** @returns milliseconds. @throws {RangeError} on anything that the schema of TokenPolicy would have refused. */
export function durationMs(text: string): number {
  const [, unit] = PATTERN.exec(text) ?? [];
  if (unit === undefined)
    throw new RangeError(`not a duration: ${JSON.stringify(text)}; write for example 30m`);
  return Number.parseInt(text, 10) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
