// Makes the User of somebody who signs in for the first time, where a group of the directory lets people in.
import { API_VERSION, LABEL } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { User, UserSpec } from '../api/user.ts';
import { timestamp } from '../domain/conditions.ts';
import { effectiveUsername, foldUsername } from '../domain/effective.ts';
import { shutGate } from '../domain/gates.ts';
import type { Cause, Tell } from '../domain/happening.ts';
import { isOnboarded, isReservedName, userNameFor } from '../domain/onboarding.ts';
import type { DirectoryAccount } from '../directory/directory.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ifFound } from '../kubernetes/if-found.ts';
import type { RawObject } from '../kubernetes/resource.ts';
import { observe, type Surroundings } from '../observation/observe.ts';
import { USERS } from '../observation/views.ts';
import type { SignInResult } from './access.ts';

export interface OnboardOptions {
  readonly client: KubernetesClient;
  readonly surroundings: Surroundings;
  readonly tell: Tell;
}

type Refusal = Extract<SignInResult, { outcome: 'NoAccess' }>;
export type Onboarding = { readonly user: User } | Refusal | { readonly outcome: 'NoUser' };

/**
 * What would keep a token from the new User is looked at before it is made, so that nobody is left with a User that does
 * not work. Two replicas at once make one: the second finds it.
 * @throws {ApiError} and {ApiUnreachableError}
 */
export async function onboard(
  { client, surroundings, tell }: OnboardOptions,
  policy: TokenPolicy | undefined,
  typed: string,
  account: DirectoryAccount,
): Promise<Onboarding> {
  if (!policy?.spec.onboarding || !account.membership?.groups.length) return { outcome: 'NoUser' };
  const username = foldUsername(typed);
  const refuse = (refusal: Refusal, error?: unknown): Refusal => {
    const { reason, message } = refusal;
    const cause = { reason, message, ...EVERYBODY_MEETS.get(refusal) };
    tell({ what: 'OnboardingRefused', policy, username, cause, ...(error !== undefined && { error }) });
    return refusal;
  };
  const name = userNameFor(username);
  const refusal = obstacle(name, account.id, policy.spec.onboarding.maxUsers, surroundings);
  if (name === undefined || refusal) {
    // The obstacle may be what another replica has made of the same sign-in, a moment ago.
    const made = await madeFor(client, username);
    return made ? { user: made } : refuse(refusal ?? NO_NAME);
  }
  const spec = specOf(name, username, account);
  const shut = shutGate({ ...observe(imagined(name, spec), surroundings), policy });
  if (shut) {
    const closed: Refusal = { outcome: 'NoAccess', reason: shut.reason, message: shut.message };
    // What is shut for everybody is told of the policy itself.
    return shut.forEveryone ? closed : refuse(closed);
  }
  try {
    const metadata = { name, labels: { [LABEL.onboarded]: 'true' } };
    const body = { apiVersion: API_VERSION, kind: 'User', metadata, spec };
    const { user } = USERS.view(await client.request<RawObject>({ method: 'POST', path: USERS.path, body }));
    tell({ what: 'Onboarded', user });
    return { user };
  } catch (error) {
    if (hasStatus(error, 403)) return refuse(NOT_ALLOWED, error);
    if (!hasStatus(error, 409)) throw error;
  }
  const made = await madeFor(client, username);
  return made ? { user: made } : refuse(NAME_TAKEN);
}

/** The User under the name that this username gets, where it is not somebody else's, as the API server has it now. */
export async function madeFor(client: KubernetesClient, username: string): Promise<User | undefined> {
  const name = userNameFor(username);
  if (name === undefined) return undefined;
  const answer = await ifFound(client.request<RawObject>({ method: 'GET', path: `${USERS.path}/${name}` }));
  if (!answer) return undefined;
  const { user } = USERS.view(answer);
  return foldUsername(effectiveUsername(user)) === foldUsername(username) ? user : undefined;
}

function obstacle(
  name: string | undefined,
  accountId: string | undefined,
  maxUsers: number,
  { caches, settings }: Surroundings,
): Refusal | undefined {
  const users = Array.from(caches.users.values(), ({ user }) => user);
  // By another of its usernames, or by one that it had before.
  const same = users.find(({ status }) => accountId !== undefined && status?.directory?.id === accountId);
  if (same)
    return no(
      'AccountHasUser',
      `your account has a User already, of the username ${effectiveUsername(same)}. Sign in by that name, or an admin deletes that User.`,
    );
  if (name === undefined || isReservedName(name, settings.operatorNamespace)) return NO_NAME;
  if (caches.users.get(name) || caches.byNamespace.get(name).length > 0) return NAME_TAKEN;
  if (caches.namespaces.get(name))
    return no(
      'NamespaceNotOurs',
      `there is a namespace ${name} already. An admin has to make your User, with another one.`,
    );
  return users.filter(isOnboarded).length < maxUsers ? undefined : FULL;
}

const no = (reason: string, message: string): Refusal => ({
  outcome: 'NoAccess',
  reason,
  message: `A group of the directory lets you in, but ${message}`,
});

const NO_NAME = no(
  'NameNotPossible',
  'no name for a namespace can be made of your username. An admin has to make your User.',
);
const NAME_TAKEN = no(
  'NameTaken',
  'the name that your User would get belongs to somebody else. An admin has to make your User.',
);
const FULL = no(
  'OnboardingFull',
  'as many people as the policy allows have come in this way. An admin raises spec.onboarding.maxUsers of the TokenPolicy, or makes your User.',
);
const NOT_ALLOWED = no(
  'OnboardingNotAllowed',
  'Latchkey has no right to make your User. An admin sets onboarding.enabled of the chart, or makes your User.',
);

/** Told once, and not of each who comes. */
const EVERYBODY_MEETS = new Map<Refusal, Pick<Cause, 'forEveryone' | 'fault'>>([
  [FULL, { forEveryone: true }],
  [NOT_ALLOWED, { forEveryone: true, fault: true }],
]);

/** What the directory says is taken over where the schema of User takes it. */
function specOf(name: string, username: string, { email, displayName }: DirectoryAccount): UserSpec {
  const isEmail = email !== undefined && /^[^@\s]+@[^@\s]+$/.test(email);
  const isName = displayName !== undefined && displayName.trim() !== '';
  return {
    ...(username !== name && { username }),
    ...(isEmail && { email }),
    ...(isName && { displayName }),
    role: 'member',
    disabled: false,
  };
}

function imagined(name: string, spec: UserSpec): User {
  const creationTimestamp = timestamp(new Date());
  return { metadata: { name, uid: '', resourceVersion: '', generation: 1, creationTimestamp }, spec };
}
