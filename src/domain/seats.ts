// Who has a seat of a licence for so many users: whoever is signed in keeps it, then the oldest Users come first.
import type { User } from '../api/user.ts';
import type { LicenseReading } from './license.ts';

/** A User that is switched off, or being deleted, leaves its seat to the next. */
export function wantsSeat({ metadata, spec }: User): boolean {
  return metadata.deletionTimestamp === undefined && !spec.disabled;
}

/** Whether a User has a session: then it has a seat, and nobody takes it away, not even a licence for fewer. */
export function isSeated(user: User): boolean {
  return user.status?.session !== undefined;
}

/**
 * How many Users the licence is for; undefined where none is required, and where there is none that counts.
 *
 * Age settles who of those that are not signed in comes first, and not who signs in first: of two at once, on two
 * replicas, both know without each other which of them the last seat is for.
 */
export function seats({ content }: LicenseReading): number | undefined {
  return content.kind === 'Verified' ? content.license.users : undefined;
}
