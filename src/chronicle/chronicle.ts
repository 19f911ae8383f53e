// Tells what happened to those who want to know: a line in the log, an Event on the object, a count.
import type { Logger } from 'pino';
import { API_VERSION } from '../api/names.ts';
import { announcement, type Happening, type Tell } from '../domain/happening.ts';
import { describeHold } from '../domain/held-condition.ts';
import type { EventRecorder, Regarding } from '../kubernetes/events.ts';

export interface ChronicleOptions {
  readonly events: EventRecorder;
  readonly count: Tell;
  readonly log: Logger;
}

/** The one place from which happenings leave, so that none is told in one way and forgotten in another. */
export function chronicle({ events, count, log }: ChronicleOptions): Tell {
  return (happening) => {
    write(log, happening);
    count(happening);
    const content = announcement(happening);
    const regarding = objectOf(happening);
    if (content && regarding) events.record(regarding, content);
  };
}

function objectOf(happening: Happening): Regarding | undefined {
  if ('user' in happening) return reference('User', happening.user);
  if ('policy' in happening && happening.policy) return reference('TokenPolicy', happening.policy);
  return undefined;
}

function reference(
  kind: string,
  { metadata: { name, uid } }: { readonly metadata: { readonly name: string; readonly uid: string } },
): Regarding {
  return { apiVersion: API_VERSION, kind, name, uid };
}

type Issued = Extract<Happening, { what: 'TokenIssued' }>;

function writeIssued(log: Logger, { what, user, session, jti, expiresAt, refresh }: Issued): void {
  log.info(
    { event: what, user: user.metadata.name, session, jti, expiresAt: expiresAt.toISOString(), refresh },
    'token issued',
  );
}

/** The audit trail: who, what, which token by its number, why. Never a token, a password or a cookie. */
function write(log: Logger, happening: Happening): void {
  const event = happening.what;
  const user = 'user' in happening ? happening.user.metadata.name : undefined;
  switch (happening.what) {
    case 'SignIn':
      log.info({ event, outcome: happening.outcome, address: happening.address }, 'sign-in');
      return;
    case 'SignedIn':
      log.info({ event, user, session: happening.session, kept: happening.again }, 'signed in');
      return;
    case 'SessionEnded':
      log.info({ event, user, session: happening.session, reason: happening.cause.reason }, 'session ended');
      return;
    case 'TokenIssued':
      writeIssued(log, happening);
      return;
    case 'TokenRevoked':
      log.info(
        { event, user, reason: happening.cause.reason, jti: happening.jti },
        happening.jti === undefined
          ? 'token revoked; another process wrote it, so its jti is not known here'
          : 'token revoked',
      );
      return;
    case 'Onboarded':
      log.info({ event, user }, 'user onboarded');
      return;
    case 'OnboardingRefused': {
      const { username, cause, error } = happening;
      const details = { event, reason: cause.reason, username, ...(error !== undefined && { err: error }) };
      log[cause.fault ? 'error' : 'warn'](details, cause.message);
      return;
    }
    case 'Offboarded':
      log.info({ event, user, namespace: happening.namespace }, 'user offboarded');
      return;
    case 'License':
      log[happening.isGood ? 'info' : 'error']({ event, reason: happening.reason }, happening.message);
      return;
    case 'EverySessionEnded':
      log.warn(
        { event, reason: happening.cause.reason },
        'every session has ended: users have to sign in again',
      );
      return;
    case 'Held': {
      const { id, cause, affected, of } = happening.hold;
      log.error({ event, hold: id, cause, affected, of }, describeHold(happening.hold));
      return;
    }
    case 'HoldConfirmed':
    case 'HoldEnded':
      log.warn(
        { event, hold: happening.hold.id, cause: happening.hold.cause },
        happening.what === 'HoldConfirmed'
          ? 'an admin has confirmed it; it goes on'
          : 'nothing is left of what was held',
      );
      return;
    default:
      happening satisfies never;
  }
}
