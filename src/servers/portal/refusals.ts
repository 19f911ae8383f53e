// Turns what became of an attempt to sign in into what the person reads.
import type { SignInResult } from '../../sessions/access.ts';
import type { Problem } from './pages/sign-in.ts';
import type { PortalSettings } from './settings.ts';
import { texts } from './texts.ts';
import { timeLeft } from './time.ts';

export interface Refusal {
  readonly status: 401 | 403 | 429 | 503;
  readonly problem: Problem;
  readonly retryAfterSeconds?: number;
}

/** When to come back while the directory or the cluster does not answer. */
export const unavailableRetrySeconds = 30;

/** A wrong password and an unknown user give the very same answer. */
export function refusalOf(
  result: Exclude<SignInResult, { outcome: 'SignedIn' }>,
  { contact, passwordChangeUrl }: Pick<PortalSettings, 'contact' | 'passwordChangeUrl'>,
): Refusal {
  const words = texts.refusals;
  switch (result.outcome) {
    case 'Refused':
      return { status: 401, problem: { ...words.Refused, fieldsAreWrong: true } };
    case 'PasswordExpired':
      return {
        status: 403,
        problem: passwordChangeUrl
          ? {
              ...words.PasswordExpired,
              fieldsAreWrong: false,
              link: { href: passwordChangeUrl.href, text: words.changePassword },
            }
          : { ...words.PasswordExpiredAsk(contact), fieldsAreWrong: false },
      };
    case 'NoUser':
      return { status: 403, problem: { ...words.NoUser(contact), fieldsAreWrong: false } };
    case 'NoAccess':
      return {
        status: 403,
        problem: {
          title: words.NoAccess,
          text: result.message,
          reason: result.reason,
          fieldsAreWrong: false,
        },
      };
    case 'TooManyAttempts': {
      const retryAfterSeconds = Math.max(1, Math.ceil(result.retryAfterSeconds));
      const wait = timeLeft(texts.language, retryAfterSeconds);
      return {
        status: 429,
        retryAfterSeconds,
        problem: { ...words.TooManyAttempts(wait), fieldsAreWrong: false },
      };
    }
  }
  // Whoever adds an outcome is told here.
  result satisfies { outcome: 'Unavailable' };
  return {
    status: 503,
    retryAfterSeconds: unavailableRetrySeconds,
    problem: { ...words.Unavailable, fieldsAreWrong: false },
  };
}
