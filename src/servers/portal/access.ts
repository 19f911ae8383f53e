// What the portal needs of the rest: signing people in, and showing and ending their access.
import { LatchkeyError } from '../../errors.ts';

/** What the portal can do for people; implemented over the cluster. */
export interface Access {
  signIn(attempt: SignInAttempt): Promise<SignInResult>;
  /**
   * @returns undefined where the cookie is unknown or has expired
   * @throws {AccessUnavailable}
   */
  view(cookie: string): Promise<AccessView | undefined>;
  /**
   * Signs out this browser only; does nothing for an unknown cookie.
   * @throws {AccessUnavailable}
   */
  signOut(cookie: string): Promise<void>;
  /**
   * Takes the token away and signs out every browser of this user.
   * @throws {AccessUnavailable}
   */
  endAccess(cookie: string): Promise<void>;
}

export interface SignInAttempt {
  /** trimmed, never empty, at most 256 characters */
  readonly username: string;
  /** as typed, never empty, at most 1024 characters */
  readonly password: string;
  /** the caller's IP address, with configured proxies seen through */
  readonly address: string;
}

export type SignInResult =
  /** `cookie` is opaque and safe to be a cookie's value. */
  | { readonly outcome: 'SignedIn'; readonly cookie: string; readonly expiresAt: Date }
  /** A wrong password or an unknown user. */
  | { readonly outcome: 'Refused' }
  | { readonly outcome: 'PasswordExpired' }
  /** The account is good and no User names it. */
  | { readonly outcome: 'NoUser' }
  /** The password is right and a gate is closed. `message` is for the person, `reason` for who helps them. */
  | { readonly outcome: 'NoAccess'; readonly reason: string; readonly message: string }
  | { readonly outcome: 'TooManyAttempts'; readonly retryAfterSeconds: number }
  /** The directory or the API server cannot be reached. */
  | { readonly outcome: 'Unavailable' };

/**
 * `Preparing`: signed in, the token is not written yet. `SignedOut`: the session has ended, sign in again.
 * `Blocked`: a gate is closed, and signing in again would not help.
 */
export type AccessState = 'Active' | 'Preparing' | 'SignedOut' | 'Blocked';

export interface AccessView {
  readonly username: string;
  readonly displayName?: string;
  readonly namespace: string;
  readonly state: AccessState;
  /** A stable code for who helps. */
  readonly reason?: string;
  /** Why not, and what to do next. */
  readonly message?: string;
  readonly tokenExpiresAt?: Date;
  /** The line that prints the token of this user. */
  readonly command: string;
}

/** The cluster cannot be asked now; nothing is known, nothing was changed. People read "try again". */
export class AccessUnavailable extends LatchkeyError<'AccessUnavailable'> {}
