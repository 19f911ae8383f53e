// What Latchkey asks of a directory: is this password right, and whose is it?
import type { Membership } from '../domain/finding.ts';
import type { Spell } from '../domain/standing.ts';
import { LatchkeyError } from '../errors.ts';
import type { DirectoryFault } from './fault.ts';

/** The account that a directory found for a username. */
export interface DirectoryAccount {
  /** What survives a rename and is never given to somebody else: entryUUID, objectGUID. */
  readonly id?: string;
  readonly email?: string;
  readonly displayName?: string;
  /** What its entry says besides: an account that counts as inactive is not accepted in the first place. */
  readonly spells?: readonly Spell[];
  /** When the password was last changed, in milliseconds since 1970 by the directory's clock, where it says so. */
  readonly passwordChangedAt?: number;
  /** Of the groups that were asked about; undefined where the directory has none. */
  readonly membership?: Membership;
}

/**
 * What the directory says of a username and a password. `Refused` covers a wrong password and an unknown user
 * alike. `PasswordExpired` and `Inactive` are said only where the directory vouches that the password was right:
 * otherwise they would tell a stranger which accounts exist.
 */
export type Verdict =
  | { readonly outcome: 'Accepted'; readonly account: DirectoryAccount }
  | { readonly outcome: 'Refused' }
  | { readonly outcome: 'PasswordExpired' }
  | { readonly outcome: 'Inactive'; readonly reason: string };

export interface Directory {
  /**
   * Checks a password. An empty one is refused without asking: some servers take it for an anonymous bind and
   * say yes (RFC 4513, section 5.1.2).
   * @param groups DNs of groups: which of them is the account in?
   * @throws {DirectoryError} when the directory gives no answer that can be trusted.
   */
  verify(username: string, password: string, groups?: readonly string[]): Promise<Verdict>;
  close(): Promise<void>;
}

/**
 * The directory gave no answer that can be trusted; nothing is known about the account.
 * `DirectoryUnreachable`: no connection, no TLS, a time-out. `DirectoryMisconfigured`: it answered, and the
 * answer says that a setting is wrong (the bind account refused, several entries for one username).
 */
export class DirectoryError extends LatchkeyError<DirectoryErrorCode> {
  /** What was wrong, in one stable word. */
  readonly fault: DirectoryFault;

  constructor(
    code: DirectoryErrorCode,
    message: string,
    { fault = 'Other', ...options }: ErrorOptions & { readonly fault?: DirectoryFault } = {},
  ) {
    super(code, message, options);
    this.fault = fault;
  }
}

export type DirectoryErrorCode = 'DirectoryUnreachable' | 'DirectoryMisconfigured';
