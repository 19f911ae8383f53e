// What happened to a User or to everybody, and how it is told to those who ask Kubernetes: pure.
import type { Hold, TokenPolicy } from '../api/token-policy.ts';
import type { User } from '../api/user.ts';
import { describeHold } from './held-condition.ts';

/** Why a token or a session went. Nothing of it is secret: people who may read Events read it. */
export interface Cause {
  /** One word for programs: a gate's, a condition's. */
  readonly reason: string;
  /** What is so, and what to do next. */
  readonly message: string;
  /** It holds for everybody, so it is told once, of the TokenPolicy, and not of every User. */
  readonly forEveryone?: true;
  /** Nobody meant it: Latchkey could not do its work. */
  readonly fault?: true;
}

/** A User, which may be gone: then this is all that is known of it. */
export interface Whose {
  readonly metadata: { readonly name: string; readonly uid: string };
}

export type Happening =
  /** Somebody tried to sign in; `outcome` as the portal knows it. */
  | { readonly what: 'SignIn'; readonly outcome: string; readonly address: string }
  /** `again`: in another browser, while the session of the first one goes on. */
  | { readonly what: 'SignedIn'; readonly user: User; readonly session: string; readonly again: boolean }
  | {
      readonly what: 'SessionEnded';
      readonly user: User;
      readonly session: string | undefined;
      readonly cause: Cause;
    }
  | {
      readonly what: 'TokenIssued';
      readonly user: User;
      readonly session: string;
      readonly jti: string;
      readonly expiresAt: Date;
      /** It replaces one of the same session. */
      readonly refresh: boolean;
      /** For the signature and the write. */
      readonly tookMs: number;
    }
  | {
      readonly what: 'TokenRevoked';
      readonly user: Whose;
      /** Undefined where another process wrote the token: nothing is remembered over a restart. */
      readonly jti: string | undefined;
      readonly cause: Cause;
    }
  /** A User was made, since a member of a group of the directory has signed in. */
  | { readonly what: 'Onboarded'; readonly user: User }
  /** Somebody whom a group of the directory lets in has signed in, and no User could be made. */
  | {
      readonly what: 'OnboardingRefused';
      readonly policy: TokenPolicy;
      /** Folded, as the directory knows the person. */
      readonly username: string;
      /** `forEveryone`: whoever comes meets it. */
      readonly cause: Cause;
      /** For the log: the API server's own word. */
      readonly error?: unknown;
    }
  | { readonly what: 'Offboarded'; readonly user: User; readonly namespace: string }
  /** Another thing is to be said of the licence than before. */
  | {
      readonly what: 'License';
      readonly policy: TokenPolicy;
      readonly isGood: boolean;
      readonly reason: string;
      readonly message: string;
    }
  | { readonly what: 'EverySessionEnded'; readonly policy: TokenPolicy; readonly cause: Cause }
  /** So many would lose something at once that an admin has to confirm it; without a policy only the log can say so. */
  | {
      readonly what: 'Held' | 'HoldConfirmed' | 'HoldEnded';
      readonly policy?: TokenPolicy;
      readonly hold: Hold;
    };

/** Takes in what happened; never throws, and lets nobody wait. */
export type Tell = (happening: Happening) => void;

/** What an Event says, as src/kubernetes/events.ts takes it. */
export interface Announcement {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/**
 * What is said of it on the object itself; undefined for what is not worth a request: a refresh happens to every user
 * all the time, and what happens to everybody is said once.
 */
export function announcement(happening: Happening): Announcement | undefined {
  switch (happening.what) {
    case 'SignIn':
    case 'TokenIssued':
      return undefined;
    case 'SignedIn':
      return normal(
        'SignedIn',
        'SignIn',
        happening.again
          ? 'Signed in once more, in another browser; the session goes on.'
          : 'Signed in; a session has begun.',
      );
    case 'SessionEnded':
      return ending('SessionEnded', 'EndSession', 'The session has ended', happening.cause);
    case 'TokenRevoked':
      return ending(
        'TokenRevoked',
        'RevokeToken',
        'The token has left the Secret access-token',
        happening.cause,
      );
    case 'Onboarded':
      return normal(
        'Onboarded',
        'Onboard',
        'Made at the first sign-in of a member of a group of the directory.',
      );
    case 'OnboardingRefused': {
      const { username, cause } = happening;
      const who = cause.forEveryone ? 'Somebody' : `The username ${username}`;
      return {
        type: 'Warning',
        reason: 'OnboardingRefused',
        action: 'Onboard',
        note: `${who} has signed in, and no User was made (${cause.reason}). The portal says: ${cause.message}`,
      };
    }
    case 'Offboarded':
      return normal('Offboarded', 'Offboard', `Offboarded from the namespace ${happening.namespace}.`);
    case 'License': {
      const { reason, message } = happening;
      const type = reason === 'LicenseValid' ? 'Normal' : 'Warning';
      return { type, reason, action: 'CheckLicense', note: message };
    }
    case 'EverySessionEnded': {
      const { reason, message } = happening.cause;
      return {
        type: 'Warning',
        reason: 'EverySessionEnded',
        action: 'EndSessions',
        note: `Every session has ended (${reason}). ${message}`,
      };
    }
    case 'Held':
      return { type: 'Warning', reason: 'Held', action: 'Hold', note: describeHold(happening.hold) };
    case 'HoldConfirmed':
      return normal(
        'HoldConfirmed',
        'GoOn',
        `An admin has confirmed the hold ${happening.hold.id}; it goes on.`,
      );
    case 'HoldEnded':
      return normal('HoldEnded', 'EndHold', `Nothing is left of the hold ${happening.hold.id}.`);
    default:
      return happening satisfies never;
  }
}

const normal = (reason: string, action: string, note: string): Announcement => ({
  type: 'Normal',
  reason,
  action,
  note,
});

function ending(reason: string, action: string, what: string, cause: Cause): Announcement | undefined {
  if (cause.forEveryone) return undefined;
  const note = `${what} (${cause.reason}). ${cause.message}`;
  return { type: cause.fault ? 'Warning' : 'Normal', reason, action, note };
}
