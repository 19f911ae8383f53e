// Reads the User and the policy as the API server has them now, for a token that the caches cannot decide on.
import { DNS_LABEL, POLICY_NAME } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { User } from '../api/user.ts';
import type { VerifiedClaims } from '../issuer/verify.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ifFound } from '../kubernetes/if-found.ts';
import type { RawObject } from '../kubernetes/resource.ts';
import type { Caches } from '../observation/caches.ts';
import { POLICIES, USERS } from '../observation/views.ts';

/** A verifier that waits longer than this has given up. */
const TIMEOUT_MS = 2_000;

export interface Live {
  /** Undefined where none with that UID was found. */
  readonly user: User | undefined;
  readonly policy: TokenPolicy | undefined;
}

/**
 * What it reads is not put into the caches: a witness that jumps ahead of its watch would take changes that the watch
 * is about to tell for changes that nobody saw.
 * @throws {ApiError} @throws {ApiUnreachableError}
 */
export type ReadLive = (claims: VerifiedClaims) => Promise<Live>;

export function liveReader(client: KubernetesClient, caches: Caches): ReadLive {
  const read = (path: string) =>
    ifFound(client.request<RawObject>({ method: 'GET', path, timeoutMs: TIMEOUT_MS }));

  async function userOf(claims: VerifiedClaims): Promise<User | undefined> {
    for (const name of names(claims, caches)) {
      const answer = await read(`${USERS.path}/${name}`);
      if (answer?.metadata.uid === claims.sub) return USERS.view(answer).user;
    }
    return undefined;
  }

  return async (claims) => {
    const [user, policy] = await Promise.all([userOf(claims), read(`${POLICIES.path}/${POLICY_NAME}`)]);
    return { user, policy: policy && POLICIES.view(policy).policy };
  };
}

/**
 * The names that the User may have: the one that the cache knows, or, where it was made so lately that the cache does
 * not know it, those that username and namespace default to. A UID cannot be asked for.
 */
function names(claims: VerifiedClaims, caches: Caches): ReadonlySet<string> {
  const known = caches.byUID.get(claims.sub).map(({ name }) => name);
  if (known.length > 0) return new Set(known);
  const guesses = [claims.preferred_username, claims['latchkey.dev/namespace']];
  return new Set(guesses.filter((name) => DNS_LABEL.test(name)));
}
