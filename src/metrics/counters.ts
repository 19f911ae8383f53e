// What is counted as it happens. Labels have few values, all of them ours or Kubernetes': never a name of a user.
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Happening } from '../domain/happening.ts';
import { directoryCounters, type DirectoryCounters } from './directory-counters.ts';

export interface Counters {
  happened(happening: Happening): void;
  /** An answer of the API server: `verb` is WATCH or the method, `code` the HTTP status, or `none` for no answer. */
  answered(verb: string, code: string): void;
  watchBroke(resource: string): void;
  /** A question about tokens was answered: `endpoint` is ours, `code` the HTTP status. */
  verifierAnswered(endpoint: string, code: string): void;
  /** A token was checked; `reason` is empty for one that is good. */
  tokenChecked(outcome: string, reason: string): void;
  /** The first no to a session was given so long after this replica saw why. */
  refusedAfter(ms: number): void;
  /** What the watch of the directory counts. */
  readonly directory: DirectoryCounters;
}

/** A refresh is one request: from a fast machine beside the API server to the longest time limit. */
const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function counters(registry: Registry): Counters {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });

  const issued = counter(
    'latchkey_tokens_issued_total',
    'Tokens written into Secrets; occasion is "refresh" where one of the same user was there.',
    'occasion',
  );
  const refreshSeconds = new Histogram({
    name: 'latchkey_token_refresh_duration_seconds',
    help: 'How long it took to replace a token: signing it, and the write.',
    buckets: SECONDS,
    registers,
  });
  const revoked = counter(
    'latchkey_tokens_revoked_total',
    'Tokens taken out of their Secrets, by the reason that the user reads.',
    'reason',
  );
  const sessionsEnded = counter(
    'latchkey_sessions_ended_total',
    'Sessions that ended for one user; where everybody’s end at once, latchkey_session_resets_total counts.',
    'reason',
  );
  const resets = counter(
    'latchkey_session_resets_total',
    'How often every session ended at once, by the reason.',
    'reason',
  );
  const license = counter(
    'latchkey_license_notices_total',
    'How often something new was said of the licence, by what was said; a refused one is LicenseInvalid.',
    'reason',
  );
  const signIns = counter('latchkey_sign_ins_total', 'Attempts to sign in, by their outcome.', 'outcome');
  const onboarded = counter(
    'latchkey_users_onboarded_total',
    'Users that were made at the first sign-in of a member of a group.',
  );
  const notOnboarded = counter(
    'latchkey_onboardings_refused_total',
    'Sign-ins of members of a group for whom no User could be made, and why.',
    'reason',
  );
  const offboarded = counter('latchkey_users_offboarded_total', 'Users that are gone, with what was theirs.');
  const answers = counter(
    'latchkey_api_requests_total',
    'Requests to the API server; code is the HTTP status, or "none" where no answer came.',
    'verb',
    'code',
  );
  const broken = counter(
    'latchkey_watch_restarts_total',
    'Watches that broke and were begun anew, by resource. One that ends in good order does not count.',
    'resource',
  );

  const verifierAnswers = counter(
    'latchkey_verifier_requests_total',
    'Answers to those who ask about tokens; code is the HTTP status.',
    'endpoint',
    'code',
  );
  const checks = counter(
    'latchkey_token_checks_total',
    'Tokens that were checked for somebody: accepted, refused or undecided, and why.',
    'outcome',
    'reason',
  );
  const refusedAfter = new Histogram({
    name: 'latchkey_revocation_to_refusal_seconds',
    help: 'From the moment this replica saw why a session is over to its first no to a token of it.',
    buckets: SECONDS,
    registers,
  });

  return {
    directory: directoryCounters(registry),
    happened(happening) {
      switch (happening.what) {
        case 'TokenIssued':
          issued.inc({ occasion: happening.refresh ? 'refresh' : 'first' });
          if (happening.refresh) refreshSeconds.observe(happening.tookMs / 1_000);
          return;
        case 'TokenRevoked':
          revoked.inc({ reason: happening.cause.reason });
          return;
        case 'SessionEnded':
          sessionsEnded.inc({ reason: happening.cause.reason });
          return;
        case 'EverySessionEnded':
          resets.inc({ reason: happening.cause.reason });
          return;
        case 'License':
          license.inc({ reason: happening.reason });
          return;
        case 'SignIn':
          signIns.inc({ outcome: happening.outcome });
          return;
        case 'Onboarded':
          onboarded.inc();
          return;
        case 'OnboardingRefused':
          notOnboarded.inc({ reason: happening.cause.reason });
          return;
        case 'Offboarded':
          offboarded.inc();
          return;
        case 'SignedIn':
        case 'Held':
        case 'HoldConfirmed':
        case 'HoldEnded':
          return;
        default:
          happening satisfies never;
      }
    },
    answered: (verb, code) => answers.inc({ verb, code }),
    watchBroke: (resource) => broken.inc({ resource }),
    verifierAnswered: (endpoint, code) => verifierAnswers.inc({ endpoint, code }),
    tokenChecked: (outcome, reason) => checks.inc({ outcome, reason }),
    refusedAfter: (ms) => refusedAfter.observe(ms / 1_000),
  };
}
