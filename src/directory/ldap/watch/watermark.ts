// Remembers up to where the changes of a server are known, and makes the filter for those that came after.

/** Active Directory counts the changes of each server; it says whose count it is, and how far it has come. */
export interface UsnMark {
  readonly kind: 'usn';
  /** dsServiceName: a count means nothing on another server. */
  readonly server: string;
  readonly usn: bigint;
}

/** Other servers write down when an entry was changed, by their own clock. */
export interface TimeMark {
  readonly kind: 'time';
  /** The latest modifyTimestamp that was seen, in milliseconds since 1970. */
  readonly latest: number;
  /** When it was seen, by this process's monotonic clock: then the server's clock stood at `latest` or later. */
  readonly seenAt: number;
}

export type Mark = UsnMark | TimeMark;

/**
 * Changes that another server made arrive late, with the time that they were made at. Later ones than this are left
 * to the next sweep.
 */
const OVERLAP_MS = 5_000;
const GRAIN_MS = 1_000;

/**
 * The filter of RFC 4515 for what may have changed since the mark.
 *
 * By the clock: everything since the overlap before the time that the server's clock must have reached by now. Once
 * that has passed the latest change, the mark does not show it again, however many entries share its second.
 * @param now by the monotonic clock
 */
export function changedSince(mark: Mark, now: number): string {
  if (mark.kind === 'usn') return `(uSNChanged>=${mark.usn + 1n})`;
  const since = mark.latest + Math.min(now - mark.seenAt - OVERLAP_MS, GRAIN_MS);
  return `(modifyTimestamp>=${generalizedTimeText(since)})`;
}

/** The mark after an answer in which `latest` was the latest change; it was whole at `now`. */
export function advanced(mark: TimeMark, latest: number | undefined, now: number): TimeMark {
  return latest === undefined || latest <= mark.latest ? mark : { kind: 'time', latest, seenAt: now };
}

/**
 * The mark after a sweep, which may have missed what changed while it ran: the server's clock stood, when it began, at
 * least so long before the latest change as it took.
 */
export function afterSweep(
  latest: number | undefined,
  beganAt: number,
  endedAt: number,
): TimeMark | undefined {
  if (latest === undefined) return undefined;
  return { kind: 'time', latest: latest - (endedAt - beganAt), seenAt: beganAt };
}

/** RFC 4517, section 3.3.13; what is left of a second is cut off. */
function generalizedTimeText(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
}
