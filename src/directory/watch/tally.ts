// What the watch of a directory counts: how often it asked, what came of it, and what it could not use.
import type { ValueFault } from '../../domain/standing.ts';
import type { DirectoryFault } from '../fault.ts';

/** `connect`: to a server, and signing in there. `changes`: since the last look. `sweep`: everybody. */
export type PollKind = 'connect' | 'changes' | 'sweep';

/**
 * Of the service account: it signs in, it reads the root of the directory, a password policy or whether a group has
 * changed, it asks for a page of entries.
 */
export type Operation = 'bind' | 'root' | 'policy' | 'group' | 'page';

/** Its words are few, and none is a name of anybody. */
export interface DirectoryTally {
  /** @param outcome Answered, or what was wrong */
  polled(kind: PollKind, outcome: 'Answered' | DirectoryFault, tookMs: number): void;
  requested(operation: Operation): void;
  /** Of the entry of a User, a value could not be used: nothing is known of the account then. */
  unusable(fault: ValueFault): void;
}
