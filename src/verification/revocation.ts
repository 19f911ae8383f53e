// Ends the session that a token belongs to, on the word of whoever holds the token.
import type { Logger } from 'pino';
import type { User } from '../api/user.ts';
import type { Cause, Tell } from '../domain/happening.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { RawObject } from '../kubernetes/resource.ts';
import { retryConflicts } from '../kubernetes/retry-conflicts.ts';
import type { Caches } from '../observation/caches.ts';
import { USERS } from '../observation/views.ts';
import { writeUserStatus } from '../observation/write-status.ts';
import type { Verification } from './verification.ts';

const ENDED_BY_BEARER: Cause = {
  reason: 'EndedByBearer',
  message: 'Somebody who holds the token ended its session. Signing in brings a new one.',
};

/**
 * @returns whether the token is good for nothing now, by this call or since before; false where that is not known.
 * Never rejects.
 */
export type EndSessionOf = (token: string) => Promise<boolean>;

export interface RevocationOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly verification: Verification;
  readonly tell: Tell;
  readonly log: Logger;
}

export function revocation({ client, caches, verification, tell, log }: RevocationOptions): EndSessionOf {
  /** @throws {ApiError} @throws {ApiUnreachableError} */
  async function end(name: string, sid: string): Promise<void> {
    await retryConflicts(async () => {
      const user = USERS.view(
        await client.request<RawObject>({ method: 'GET', path: `${USERS.path}/${name}` }),
      ).user;
      if (user.status?.session?.id !== sid) return;
      const { session: _session, browsers: _browsers, ...status } = user.status;
      await writeUserStatus(client, caches, user, status);
      tell({ what: 'SessionEnded', user, session: sid, cause: ENDED_BY_BEARER });
    });
  }

  return async (token) => {
    const verdict = await verification.verify(token);
    if (verdict.outcome !== 'Accepted') return verdict.outcome === 'Refused';
    const { sub, sid } = verdict.identity;
    const user: User | undefined = caches.byUID.get(sub)[0]?.user;
    if (!user) return false; // Accepted live, and the watch has not told of it yet.
    const { name } = user.metadata;
    try {
      await end(name, sid);
      return true;
    } catch (error) {
      if (hasStatus(error, 404)) return true;
      log.warn({ user: name, err: error }, 'a session could not be ended');
      return false;
    }
  };
}
