// Who becomes a User by signing in: under which name, by which groups, and what these put into the token.
import { LABEL, RESERVED_NAMESPACES, RESERVED_PREFIXES } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { User } from '../api/user.ts';
import { foldUsername } from './effective.ts';
import type { Membership } from './finding.ts';

/** Whether the User was made at a sign-in, and so has to stay in one of the groups. */
export function isOnboarded({ metadata }: User): boolean {
  return metadata.labels?.[LABEL.onboarded] === 'true';
}

/**
 * The id of the directory's account that a User which was made at a sign-in claims for itself: two usernames of one
 * account may sign in at once, where neither User is known yet. Of Users that admins made an account may have several.
 */
export function claimedAccount(user: User): string | undefined {
  return isOnboarded(user) ? user.status?.directory?.id : undefined;
}

export function listedGroups(policy: TokenPolicy | undefined): readonly string[] {
  return policy?.spec.onboarding?.groups ?? [];
}

const LONGEST_NAME = 63;

/**
 * The name of the User, and of its namespace, that somebody gets: in lower case, without accents, and with one '-' for
 * every run of anything but letters and digits. Two usernames may come to one name; the second one is refused.
 * @returns undefined where a letter has no counterpart among a to z, or the name is empty or too long for a DNS label
 */
export function userNameFor(username: string): string | undefined {
  const plain = foldUsername(username).normalize('NFKD').replaceAll(/\p{M}/gu, '');
  if (/[^a-z0-9]/u.test(plain.replaceAll(/[^\p{L}\p{N}]/gu, ''))) return undefined;
  const name = plain.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '');
  return name === '' || name.length > LONGEST_NAME ? undefined : name;
}

/** What the schema of User says, for a clear word before the User is made. */
export function isReservedName(name: string, operatorNamespace: string): boolean {
  return (
    [...RESERVED_NAMESPACES, operatorNamespace].includes(name) ||
    RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))
  );
}

/**
 * The groups that a User is in, for its status: a group of which the directory cannot say it, or was not
 * asked yet since the policy lists it, stands as it was.
 * @returns undefined where that is not known, and where it would say nothing: of a User that an admin made and that is
 *   in none
 */
export function groupsOf(
  user: User,
  policy: TokenPolicy | undefined,
  { asked, groups, unknown }: Membership,
): readonly string[] | undefined {
  const old = user.status?.directory?.groups;
  const listed = listedGroups(policy);
  const isUnknown = (group: string) => unknown.includes(group) || !asked.includes(group);
  const now = listed.filter(
    (group) => groups.includes(group) || (isUnknown(group) && old?.includes(group) === true),
  );
  if (now.length > 0) return now;
  if (!isOnboarded(user)) return undefined;
  return listed.some(isUnknown) ? old : [];
}

/** The names in the token of the listed groups that the User is in: the first name of each DN. */
export function groupClaims(user: User, policy: TokenPolicy): readonly string[] {
  const listed = listedGroups(policy);
  return (user.status?.directory?.groups ?? [])
    .filter((group) => listed.includes(group))
    .flatMap((group) => /^[^=]+=([^,]+)/.exec(group)?.[1]?.trim() ?? []);
}
