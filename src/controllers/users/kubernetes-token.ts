// Asks Kubernetes for a token of a user's ServiceAccount, one that dies with the Secret that it hangs on.
import { decodeJwt } from 'jose';
import { ANCHOR_SECRET, TOKEN_ACCOUNT } from '../../api/names.ts';
import type { User } from '../../api/user.ts';
import { effectiveNamespace } from '../../domain/effective.ts';
import { LatchkeyError } from '../../errors.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';

/** The least that can be told from rounding and from the time that the answer took. */
const SHORTER_MS = 30_000;

export interface KubernetesToken {
  readonly token: string;
  readonly expiresAt: Date;
  readonly jti: string;
}

/** `TokenTooShort`: the API server gives tokens for less time than the policy asks for. */
export class KubernetesTokenError extends LatchkeyError<'TokenTooShort'> {}

interface TokenRequest {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

export interface TokenRequested {
  readonly audiences: readonly string[];
  readonly ttlMs: number;
  /** The UID of the Secret access-token-binding. */
  readonly anchor: string;
}

/**
 * @param makeAccount called where there is no such ServiceAccount
 * @returns undefined where the Secret that it was to hang on is another one by now: the watch is about to tell
 * @throws {KubernetesTokenError} @throws {ApiError}
 */
export async function requestToken(
  client: KubernetesClient,
  user: User,
  { audiences, ttlMs, anchor }: TokenRequested,
  makeAccount: () => Promise<void>,
): Promise<KubernetesToken | undefined> {
  const ask = () =>
    client.request<TokenRequest>({
      method: 'POST',
      path: `/api/v1/namespaces/${effectiveNamespace(user)}/serviceaccounts/${TOKEN_ACCOUNT}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences,
          expirationSeconds: Math.floor(ttlMs / 1_000),
          boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: ANCHOR_SECRET, uid: anchor },
        },
      },
    });
  const began = Date.now();
  let answer: TokenRequest;
  try {
    answer = await ask().catch(async (error: unknown) => {
      if (!hasStatus(error, 404)) throw error;
      await makeAccount();
      return ask();
    });
  } catch (error) {
    if (hasStatus(error, 404, 409)) return undefined;
    throw error;
  }
  const { token, expirationTimestamp } = answer.status;
  const expiresAt = new Date(expirationTimestamp);
  if (expiresAt.getTime() < began + ttlMs - SHORTER_MS)
    throw new KubernetesTokenError(
      'TokenTooShort',
      `Kubernetes gives tokens for less time than spec.accessToken.ttl says (${ttlMs / 1_000} s): set a shorter one, or a longer --service-account-max-token-expiration of the kube-apiserver.`,
    );
  return { token, expiresAt, jti: decodeJwt(token).jti ?? '' };
}
