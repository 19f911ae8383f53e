// Compares this machine's clock with the API server's, by the Date header of its answers.

/** A Date header has a grain of one second, and the answer took time: the skew is known as a range. */
export interface SkewRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How far apart the clocks may be before nothing is minted. */
export const MAX_SKEW_MS = 5_000;

/**
 * The possible values of (our clock − server's clock): the server stamped `dateHeader` (RFC 9110, section 6.6.1, cut to
 * whole seconds) at some moment between `sent` and `received` on our clock.
 * @returns undefined where the header is missing or cannot be read.
 */
export function skewRange(dateHeader: string | undefined, sent: Date, received: Date): SkewRange | undefined {
  const stamp = dateHeader === undefined ? Number.NaN : Date.parse(dateHeader);
  if (Number.isNaN(stamp)) return undefined;
  return { fromMs: sent.getTime() - (stamp + 1_000), toMs: received.getTime() - stamp };
}

/** Whether the clocks are surely too far apart; a slow answer alone never says so. */
export function isSkewed({ fromMs, toMs }: SkewRange): boolean {
  return fromMs > MAX_SKEW_MS || toMs < -MAX_SKEW_MS;
}

/** Whether the clocks surely agree well enough; a slow answer alone never says that either. */
export function isInStep({ fromMs, toMs }: SkewRange): boolean {
  return fromMs >= -MAX_SKEW_MS && toMs <= MAX_SKEW_MS;
}
