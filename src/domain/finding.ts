// What the watch of the directory knows of a username.
import type { Spell } from './standing.ts';

export interface Finding {
  /**
   * `Missing`: asked for by name, and the directory has none. `Ambiguous`: it has several, or cannot say whether it has
   * one.
   */
  readonly state: 'Found' | 'Missing' | 'Ambiguous';
  /** With `Found`: entryUUID, objectGUID, where the directory has one. */
  readonly id?: string;
  readonly spells: readonly Spell[];
  /** When the password was last changed, in milliseconds since 1970 by the directory's clock, where it says so. */
  readonly passwordChangedAt?: number;
}

/** Which of the groups in spec.onboarding of the TokenPolicy an account is in, as the policy spells them. */
export interface Membership {
  /** All that were asked about: the policy may list others by now, or spell them in another way. */
  readonly asked: readonly string[];
  readonly groups: readonly string[];
  /** Those of which the directory could not say it: they are not there, or not to be read. */
  readonly unknown: readonly string[];
}

/** What a decision about one User may depend on. */
export interface DirectoryView {
  /** Undefined while nothing is known: the watch has not come to it. */
  readonly finding: Finding | undefined;
  /** When the question was asked whose answer the finding stands by. */
  readonly askedAt: Date | undefined;
  /** As the latest sweep showed it; undefined while it is not known. */
  readonly membership?: (Membership & { readonly askedAt: Date }) | undefined;
}
