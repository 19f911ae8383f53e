// What a directory says of an account over time: spells in which something is not as it should be.

/**
 * - `Disabled`, `Expired`, `NotYetValid`: the directory itself lets nobody in with this account.
 * - `Excluded`: a filter that an admin gave says so.
 * - `Locked`, `PasswordExpired`: keep people from signing in. Anyone can lock anyone's account by typing wrong
 *   passwords, so they end a session only where the policy says so.
 * - `Unreadable`: a value is not what it should be, so nothing is known.
 */
export type SpellReason =
  'Disabled' | 'Expired' | 'NotYetValid' | 'Excluded' | 'Locked' | 'PasswordExpired' | 'Unreadable';

/** What is wrong with a value that is not what it should be: too long is more than any date, number or flag has. */
export type ValueFault = 'NotThere' | 'Binary' | 'SeveralValues' | 'TooLong' | 'Malformed';

/** Milliseconds since 1970, `from` included and `until` not; without one the spell has no end on that side. */
export interface Spell {
  readonly reason: SpellReason;
  readonly from?: number;
  readonly until?: number;
  /** With `Unreadable`: whose value it is. */
  readonly attribute?: string;
  /** With `Unreadable`: what is wrong with it. */
  readonly fault?: ValueFault;
}

/** Reasons that the policy may add to those that end a session. */
export type SignInReason = Extract<SpellReason, 'Locked' | 'PasswordExpired'>;

export interface Standing {
  readonly state: 'Active' | 'Inactive' | 'Unknown';
  readonly reason?: SpellReason;
  /** With `Unreadable`: whose value it is. */
  readonly attribute?: string;
  /** When the verdict may change although nobody touches the account. */
  readonly changesAt?: Date;
}

const INACTIVE: readonly SpellReason[] = ['Disabled', 'Expired', 'NotYetValid', 'Excluded'];

/**
 * The verdict at one time. What is certain comes first: an account that is disabled stays so whatever else cannot be
 * read, and one that cannot be read is never inactive by mistake.
 * @param endsSession which of the reasons that keep people from signing in count as inactive, too
 */
export function standingAt(
  spells: readonly Spell[],
  now: Date,
  endsSession: readonly SignInReason[] = [],
): Standing {
  const at = now.getTime();
  const inactive = [...INACTIVE, ...endsSession];
  const counts = spells.filter(({ reason }) => reason === 'Unreadable' || inactive.includes(reason));
  const current = counts.filter(
    ({ from = -Infinity, until = Infinity }) => from <= at && at < until && from < until,
  );
  const spell = [...inactive, 'Unreadable' as const]
    .map((reason) => current.find((candidate) => candidate.reason === reason))
    .find((found) => found !== undefined);
  const changes = counts
    .flatMap(({ from, until }) => [from, until])
    .filter((time) => time !== undefined && time > at);
  return {
    state: spell === undefined ? 'Active' : spell.reason === 'Unreadable' ? 'Unknown' : 'Inactive',
    ...(spell && { reason: spell.reason }),
    ...(spell?.attribute !== undefined && { attribute: spell.attribute }),
    ...(changes.length > 0 && { changesAt: new Date(Math.min(...changes.map(Number))) }),
  };
}
