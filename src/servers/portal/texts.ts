// Every word that the portal says to people, in one place so that it can be translated.
import type { AccessState } from '../../sessions/access.ts';

/** What a page or a box says: a short title, and what it means for the reader. */
export interface Notice {
  readonly title: string;
  readonly text: string;
}

/** The notices that a redirect to the sign-in page may bring along. */
export type FarewellName = 'SignedOut' | 'AccessEnded' | 'NotSignedIn';

export const texts = {
  language: 'en',
  product: 'Latchkey',
  titleOf: (page: string) => `${page} · Latchkey`,

  signIn: {
    title: 'Sign in',
    lead: 'Sign in once, and your scripts always have a valid access token.',
    username: 'Username',
    password: 'Password',
    submit: 'Sign in',
    help: (contact: string) => `No account, or cannot sign in? Ask ${contact}.`,
    problemTitle: (page: string) => `Problem: ${page}`,
  },

  refusals: {
    Refused: { title: 'That did not work', text: 'The username or the password is wrong. Please try again.' },
    Incomplete: { title: 'Something is missing', text: 'Enter both your username and your password.' },
    TooManyAttempts: (wait: string): Notice => ({
      title: 'Too many attempts',
      text: `To protect accounts, signing in is paused here. Try again ${wait}.`,
    }),
    Unavailable: {
      title: 'Cannot sign in right now',
      text: 'A system that Latchkey depends on does not answer. Nothing is wrong with your account: try again in a minute.',
    },
    PasswordExpired: {
      title: 'Your password has expired',
      text: 'Choose a new password first, then sign in with it.',
    },
    PasswordExpiredAsk: (contact: string): Notice => ({
      title: 'Your password has expired',
      text: `It must be changed before you can sign in. Ask ${contact}.`,
    }),
    changePassword: 'Change your password',
    NoUser: (contact: string): Notice => ({
      title: 'You have no access yet',
      text: `Your account is valid, but nobody has given it access to this cluster. Ask ${contact}.`,
    }),
    NoAccess: 'You have no access right now',
    reason: 'Reason',
  },

  farewells: {
    SignedOut: {
      title: 'You are signed out',
      text: 'Only this browser is. What your scripts may do has not changed.',
    },
    AccessEnded: {
      title: 'Your access has ended',
      text: 'Your token is gone and every browser is signed out. Sign in to get a new one.',
    },
    NotSignedIn: {
      title: 'Please sign in first',
      text: 'This browser was no longer signed in, so nothing was changed.',
    },
  } satisfies Record<FarewellName, Notice>,

  states: {
    Active: {
      badge: 'Active',
      title: 'Your access is active',
      text: 'Your token is renewed for you. There is nothing else to do here.',
    },
    Preparing: {
      badge: 'Preparing',
      title: 'Your access is being prepared',
      text: 'Your first token is on its way. This takes a few seconds, and the page follows by itself.',
    },
    SignedOut: {
      badge: 'Ended',
      title: 'Your access has ended',
      text: 'You have no token any more. Sign in again to get a new one.',
    },
    Blocked: {
      badge: 'Blocked',
      title: 'Your access is blocked',
      text: 'You have no token, and signing in again will not change that.',
    },
  } satisfies Record<AccessState, Notice & { badge: string }>,

  state: {
    user: 'Signed in as',
    namespace: 'Namespace',
    token: 'Current token',
    tokenExpires: 'expires',
    tokenExpiresAt: (time: string) => `, at ${time}`,
    tokenExpired: 'has expired; a new one is being made',
    tokenRenewed: 'A new one takes its place before that.',
    reason: 'Reason',
    signInAgain: 'Sign in again',
    help: (contact: string) => `Questions? Ask ${contact}.`,
  },

  command: {
    title: 'Use it in your scripts',
    text: 'This prints your token. Run it each time a token is needed, rather than keeping a copy.',
    copy: 'Copy',
    copied: 'Copied',
    copyFailed: 'Selected: press Ctrl+C or ⌘C to copy',
  },

  signOut: {
    submit: 'Sign out',
    text: 'Signs out this browser only.',
    textWithAccess: 'Signs out this browser only. Your scripts keep their token.',
  },

  endAccess: {
    summary: 'End my access now',
    text: 'Use this when you think somebody else has your token. As soon as you confirm:',
    effects: [
      'your token is taken away, and scripts that read it stop working;',
      'every browser that you are signed in with is signed out;',
      'signing in again brings a new token.',
    ],
    submit: 'Yes, end my access',
  },

  pages: {
    backToStart: 'Back to the start',
    goTo: (address: string) => `Go to ${address}`,
    400: {
      title: 'That form cannot be read',
      text: 'It is incomplete, or one of its fields is too long. Go back and try again.',
    },
    403: {
      title: 'That came from another site',
      text: 'For your safety it was not done. Open this portal itself, and do it there.',
    },
    404: { title: 'There is nothing here', text: 'The address may be mistyped.' },
    413: { title: 'That is too long', text: 'Go back and try again with less.' },
    415: { title: 'That form cannot be read', text: 'It was not sent the way a browser sends it.' },
    421: { title: 'You are at the wrong address', text: 'The portal has another one.' },
    500: {
      title: 'Something went wrong on our side',
      text: 'It is not your fault. Try again in a minute.',
    },
    503: {
      title: 'Your access cannot be shown right now',
      text: 'The cluster does not answer. Your scripts keep the token they have: try again in a minute.',
    },
  },
} as const;
