// Signs a user in: the password first with the directory, then the rule, then one write of the session.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { POLICY_NAME } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { User, UserStatus } from '../api/user.ts';
import { holder } from '../domain/claimants.ts';
import { sessionCounts } from '../domain/decide.ts';
import { afterSignIn } from '../domain/directory.ts';
import { foldUsername } from '../domain/effective.ts';
import { shutGate } from '../domain/gates.ts';
import type { Tell } from '../domain/happening.ts';
import { groupsOf, listedGroups } from '../domain/onboarding.ts';
import { continueSession, isPasswordNewer, startSession } from '../domain/session.ts';
import { standingAt } from '../domain/standing.ts';
import type { Directory, DirectoryAccount } from '../directory/directory.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ifFound } from '../kubernetes/if-found.ts';
import type { RawObject } from '../kubernetes/resource.ts';
import { observe, type Surroundings } from '../observation/observe.ts';
import { POLICIES, USERS } from '../observation/views.ts';
import { writeUserStatus } from '../observation/write-status.ts';
import { AccessUnavailable, type SignInAttempt, type SignInResult } from './access.ts';
import type { Attempts } from './attempts.ts';
import { newBrowser, withBrowser } from './browser.ts';
import { madeFor, onboard } from './onboard.ts';

/** How often a sign-in starts over when somebody else wrote the User meanwhile; the operator itself may, once or twice. */
const MOST_TRIES = 5;

export interface SignInOptions {
  readonly client: KubernetesClient;
  readonly directory: Directory;
  readonly surroundings: Surroundings;
  readonly attempts: Attempts;
  readonly tell: Tell;
  /** The time to decide by. */
  readonly now: () => Date;
  readonly log: Logger;
}

export function signIn(options: SignInOptions): (attempt: SignInAttempt) => Promise<SignInResult> {
  const { directory, attempts, tell, log } = options;

  return async (attempt) => {
    const result = await limited(attempt);
    tell({ what: 'SignIn', outcome: result.outcome, address: attempt.address });
    return result;
  };

  async function limited(attempt: SignInAttempt): Promise<SignInResult> {
    const username = foldUsername(attempt.username);
    const waitMs = attempts.begin(username, attempt.address, new Date());
    if (waitMs > 0) return { outcome: 'TooManyAttempts', retryAfterSeconds: Math.ceil(waitMs / 1_000) };
    const result = await decideSignIn(attempt).catch((error: unknown): SignInResult => {
      // The directory's and the API server's own words stay here; the person reads "try later".
      log.error({ event: 'SignInUnavailable', err: error }, 'a sign-in could not be decided');
      return { outcome: 'Unavailable' };
    });
    // Only a wrong password counts: whoever knows it is not guessing.
    if (result.outcome !== 'Refused') attempts.forgive(username, attempt.address);
    return result;
  }

  async function decideSignIn({ username, password }: SignInAttempt): Promise<SignInResult> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { user, policy } = await readLive(options, username);
      const verdict = await directory.verify(username, password, listedGroups(policy));
      if (verdict.outcome === 'Refused' || verdict.outcome === 'PasswordExpired')
        return { outcome: verdict.outcome };
      if (verdict.outcome === 'Inactive')
        return {
          outcome: 'NoAccess',
          reason: 'DirectoryInactive',
          message: 'The directory says that your account is switched off.',
        };
      const { account } = verdict;
      const found = user ? { user } : await onboard(options, policy, username, account);
      if ('outcome' in found) return found;
      try {
        return await begin(options, { user: found.user, policy }, account);
      } catch (error) {
        if (!hasStatus(error, 409)) throw error;
      }
    }
    throw new AccessUnavailable(
      'AccessUnavailable',
      'The User changed again and again while it signed in. Try again.',
    );
  }
}

interface Live {
  readonly user: User;
  readonly policy: TokenPolicy | undefined;
}

/** The User that holds the username, and the policy, as the API server has them now. */
async function readLive(
  { client, surroundings }: SignInOptions,
  username: string,
): Promise<{ user: User | undefined; policy: TokenPolicy | undefined }> {
  const { caches } = surroundings;
  const get = (path: string) => ifFound(client.request<RawObject>({ method: 'GET', path }));
  const getUser = async (name: string | undefined) => {
    const answer = name === undefined ? undefined : await get(`${USERS.path}/${name}`);
    return answer && USERS.view(answer).user;
  };
  const cached = holder(caches.byUsername.get(foldUsername(username)).map(({ user }) => user));
  const [user, answer] = await Promise.all([
    getUser(cached?.metadata.name),
    get(`${POLICIES.path}/${POLICY_NAME}`),
  ]);
  const policy = answer && POLICIES.view(answer).policy;
  if (cached || !policy?.spec.onboarding) return { user, policy };
  // Another replica may have made it so lately that the cache does not know it.
  return { user: await madeFor(client, username), policy };
}

/** @throws {ApiError} 409 where the User was written since it was read. */
async function begin(
  { client, surroundings, tell, now: time }: SignInOptions,
  { user, policy }: Live,
  account: DirectoryAccount,
): Promise<SignInResult> {
  const now = time();
  const groups = account.membership && groupsOf(user, policy, account.membership);
  const directory = afterSignIn(user.status?.directory, account.id, now, groups);
  // The directory itself has just said yes, whatever was known of the account before.
  const good = { ...user, status: { ...user.status, directory } };
  const observed = { ...observe(good, surroundings), policy };
  const shut = shutGate(observed);
  if (shut) return { outcome: 'NoAccess', reason: shut.reason, message: shut.message };
  const pinned = user.status?.directory?.id;
  if (pinned !== undefined && account.id !== undefined && account.id !== pinned)
    return {
      outcome: 'NoAccess',
      reason: 'AccountReplaced',
      message: `Your account in the directory is not the one that signed in here before. An admin says whether it is yours: the condition Ready of your User, and "latchkey why ${user.metadata.name}", tell how.`,
    };
  if (!policy) return { outcome: 'Unavailable' };
  // Some directories let people in whose password has expired; their session would end with the next look at them.
  const standing = standingAt(account.spells ?? [], now, policy.spec.directory.endSessionOn);
  if (standing.reason === 'PasswordExpired') return { outcome: 'PasswordExpired' };

  const old = user.status ?? {};
  const counts =
    sessionCounts(observed, now) &&
    !(old.session && isPasswordNewer(old.session, policy, account.passwordChangedAt));
  const kept = counts ? old.session : undefined;
  const session = kept
    ? continueSession(kept, policy, now)
    : startSession(user, policy, randomUUID(), now, account.passwordChangedAt);
  const { cookie, browser } = newBrowser(user.metadata.name, now);
  const status: UserStatus = {
    ...old,
    session,
    browsers: withBrowser(old.browsers, browser, now),
    directory,
  };
  await writeUserStatus(client, surroundings.caches, user, status);
  tell({ what: 'SignedIn', user, session: session.id, again: kept !== undefined });
  return { outcome: 'SignedIn', cookie, expiresAt: new Date(browser.expiresAt) };
}
