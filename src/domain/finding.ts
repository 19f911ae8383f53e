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

/** What a decision about one User may depend on. */
export interface DirectoryView {
  /** Undefined while nothing is known: the watch has not come to it. */
  readonly finding: Finding | undefined;
  /** When the question was asked whose answer the finding stands by. */
  readonly askedAt: Date | undefined;
}
