// Reads the durations of a TokenPolicy: one number and one unit, as its schema demands.

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** @returns milliseconds. @throws {RangeError} on anything that the schema of TokenPolicy would have refused. */
export function durationMs(text: string): number {
  const match = /^([1-9][0-9]*)(s|m|h)$/.exec(text);
  if (!match) throw new RangeError(`not a duration: ${JSON.stringify(text)}; write for example 30m`);
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
