// Shows signed-in people the state of their access, and lets them sign out of the browser or end it all.
import { TOKEN_KEY, TOKEN_SECRET } from '../api/names.ts';
import type { User, UserStatus } from '../api/user.ts';
import { sessionCounts } from '../domain/decide.ts';
import { effectiveNamespace, effectiveUsername } from '../domain/effective.ts';
import { shutGate } from '../domain/gates.ts';
import type { Cause, Tell } from '../domain/happening.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { RawObject } from '../kubernetes/resource.ts';
import { observe, type Surroundings } from '../observation/observe.ts';
import { USERS } from '../observation/views.ts';
import { writeUserStatus } from '../observation/write-status.ts';
import { AccessUnavailable, type Access, type AccessView } from './access.ts';
import { isSignedIn, userNameOf, withoutBrowser } from './browser.ts';

const MOST_TRIES = 5;

const ENDED_BY_USER: Cause = {
  reason: 'EndedByUser',
  message: 'The user ended the access in the portal. Signing in brings it back.',
};

export interface OwnAccessOptions {
  readonly client: KubernetesClient;
  readonly surroundings: Surroundings;
  readonly tell: Tell;
}

export function ownAccess({ client, surroundings, tell }: OwnAccessOptions): Omit<Access, 'signIn'> {
  const { caches } = surroundings;

  async function live(name: string): Promise<User | undefined> {
    try {
      const answer = USERS.view(
        await client.request<RawObject>({ method: 'GET', path: `${USERS.path}/${name}` }),
      );
      caches.users.merge(answer);
      return answer.user;
    } catch (cause) {
      if (hasStatus(cause, 404)) return undefined;
      throw new AccessUnavailable('AccessUnavailable', 'The cluster cannot be asked now. Try again.', {
        cause,
      });
    }
  }

  /** The User in whose browser `cookie` is; another replica may have signed it in so lately that the cache does not know. */
  async function bearer(cookie: string): Promise<User | undefined> {
    const name = userNameOf(cookie);
    if (name === undefined) return undefined;
    const cached = caches.users.get(name)?.user;
    if (cached && isSignedIn(cached.status?.browsers, cookie, new Date())) return cached;
    const user = await live(name);
    return user && isSignedIn(user.status?.browsers, cookie, new Date()) ? user : undefined;
  }

  /** Writes what `change` makes of the status; starts over with the newest User where somebody was faster. */
  async function update(
    cookie: string,
    change: (status: UserStatus, now: Date) => UserStatus,
  ): Promise<User | undefined> {
    let user = await bearer(cookie);
    for (let tries = 0; user && tries < MOST_TRIES; tries++) {
      try {
        await writeUserStatus(client, caches, user, change(user.status ?? {}, new Date()));
        return user;
      } catch (cause) {
        if (!hasStatus(cause, 409))
          throw new AccessUnavailable('AccessUnavailable', 'The cluster cannot be asked now. Try again.', {
            cause,
          });
      }
      user = await live(user.metadata.name);
    }
    if (user)
      throw new AccessUnavailable('AccessUnavailable', 'The User changed again and again. Try again.');
    return undefined;
  }

  return {
    async view(cookie) {
      const user = await bearer(cookie);
      return user && describe(user, surroundings);
    },
    async signOut(cookie) {
      await update(cookie, (status, now) => ({
        ...status,
        browsers: withoutBrowser(status.browsers, cookie, now),
      }));
    },
    async endAccess(cookie) {
      const user = await update(cookie, ({ session: _session, browsers: _browsers, ...status }) => status);
      if (user?.status?.session)
        tell({ what: 'SessionEnded', user, session: user.status.session.id, cause: ENDED_BY_USER });
    },
  };
}

function describe(user: User, surroundings: Surroundings): AccessView {
  const namespace = effectiveNamespace(user);
  const observed = observe(user, surroundings);
  const shut = shutGate(observed);
  const who = {
    username: effectiveUsername(user),
    ...(user.spec.displayName !== undefined && { displayName: user.spec.displayName }),
    namespace,
    command: `kubectl -n ${namespace} get secret ${TOKEN_SECRET} -o jsonpath='{.data.${TOKEN_KEY}}' | base64 -d`,
  };
  if (shut) return { ...who, state: 'Blocked', reason: shut.reason, message: shut.message };
  if (!sessionCounts(observed, new Date())) return { ...who, state: 'SignedOut' };
  const ready = user.status?.conditions?.find(({ type }) => type === 'Ready');
  const expiry = surroundings.caches.secrets.get(namespace)?.claimedExpiry;
  if (expiry !== undefined && expiry > Date.now())
    return { ...who, state: 'Active', tokenExpiresAt: new Date(expiry) };
  return {
    ...who,
    state: 'Preparing',
    ...(ready?.status === 'False' &&
      ready.reason !== 'NotSignedIn' && { reason: ready.reason, message: ready.message }),
  };
}
