// What is said of many measurements: the middle one, and one in a hundred.

/** @throws {RangeError} where there is none */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** By the nearest rank: a value that was measured, never one in between. @throws {RangeError} where there is none */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil((percent / 100) * sorted.length) - 1, 0)];
  if (value === undefined) throw new RangeError('nothing was measured');
  return value;
}
