// The TokenReview of Kubernetes, as it is asked and answered: pure.
import { z } from 'zod';
import type { Verdict } from '../../verification/verification.ts';

export const API_VERSION = 'authentication.k8s.io/v1';
const KIND = 'TokenReview';

const spec = z.object({
  token: z.string().min(1, 'is required'),
  audiences: z.array(z.string()).nullish(),
});

const review = z.object({
  apiVersion: z.literal(API_VERSION, `must be ${API_VERSION}; kube-apiserver asks by it with --authentication-token-webhook-version=v1`),
  kind: z.literal(KIND, `must be ${KIND}`),
  spec,
}); // prettier-ignore

export type ReviewSpec = z.infer<typeof spec>;

/** @returns what is asked, or a sentence for whoever has set up the webhook; it quotes nothing that was sent. */
export function parseReview(body: unknown): { readonly spec: ReviewSpec } | { readonly problem: string } {
  const result = review.safeParse(body);
  if (result.success) return { spec: result.data.spec };
  const [issue] = result.error.issues;
  const where = issue?.path.join('.') || 'the body';
  return { problem: `${where} ${issue?.code === 'invalid_type' ? 'is missing or of another type' : issue?.message}` };
} // prettier-ignore

export interface ReviewSettings {
  /** Stands before every username and group; it ends in ':', which no username has. */
  readonly namePrefix: string;
  /** Whom a token has to be for where the review names no audience. */
  readonly apiServerAudience: string;
}

interface UserInfo {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface ReviewStatus {
  readonly authenticated: boolean;
  readonly user?: UserInfo;
  readonly audiences?: readonly string[];
  readonly error?: string;
}

export interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly status: ReviewStatus;
}

/**
 * A yes names the audiences that the token and the review have in common (authentication/v1, TokenReviewStatus); where
 * they have none it is a no. Every no has an `error`: without one a kube-apiserver keeps it in its cache, as long as a
 * yes (apiserver, token/cache/cached_token_authenticator.go).
 */
export function answerReview(asked: ReviewSpec, verdict: Verdict, settings: ReviewSettings): Review {
  return { apiVersion: API_VERSION, kind: KIND, status: statusOf(asked, verdict, settings) };
}

function statusOf(asked: ReviewSpec, verdict: Verdict, settings: ReviewSettings): ReviewStatus {
  if (verdict.outcome === 'Undecided') return no('the token cannot be checked at the moment');
  const refused = no('the token is not valid');
  if (verdict.outcome === 'Refused') return refused;
  const wanted = asked.audiences?.length ? asked.audiences : [settings.apiServerAudience];
  const audiences = [...new Set(wanted)].filter((audience) => verdict.identity.aud.includes(audience));
  const user = userInfo(verdict, settings.namePrefix);
  return audiences.length > 0 && user ? { authenticated: true, user, audiences } : refused;
}

const no = (error: string): ReviewStatus => ({ authenticated: false, error });

/** What could be taken for two names, or for another line of a log; the schema of User refuses it too. */
const UNSAFE = /[:,\p{Cc}]/u;

function userInfo(
  { identity, claims }: Verdict & { outcome: 'Accepted' },
  prefix: string,
): UserInfo | undefined {
  const { preferred_username: username, sub: uid, groups, role, sid } = identity;
  if (username === '' || UNSAFE.test(username)) return undefined;
  return {
    username: prefix + username,
    uid,
    groups: groups.map((group) => prefix + group),
    extra: { 'latchkey.dev/jti': [claims.jti], 'latchkey.dev/sid': [sid], 'latchkey.dev/role': [role] },
  };
}
