// Reads a verdict out of a directory's answer to a user's bind.
import { PasswordPolicyError } from 'ldapts';
import { DirectoryError } from '../directory.ts';
import type { DirectoryAccount, Verdict } from '../directory.ts';
import type { BindAnswer } from './bind.ts';

const SUCCESS = 0;
const INVALID_CREDENTIALS = 49;

/**
 * Results that speak of this one account. They read like a wrong password, since most are given without looking at
 * the password, and a stranger would learn from any other answer that the account exists.
 * - 19 constraintViolation: 389 DS, after too many wrong passwords
 * - 32 noSuchObject: the entry went away between the search and the bind
 * - 48 inappropriateAuthentication: an entry without a password
 * - 50 insufficientAccessRights: an entry that may not bind
 * - 53 unwillingToPerform: 389 DS and FreeIPA, `nsAccountLock`. 389 DS checks the lock before the password
 *   (slapi_check_account_lock in ldap/servers/slapd/bind.c), so this vouches for nothing.
 */
const ABOUT_THE_ACCOUNT = new Set([19, 32, 48, INVALID_CREDENTIALS, 50, 53]);

/** The server does not take simple binds, or not from us: 7 authMethodNotSupported, 8 strongerAuthRequired, 13. */
const ABOUT_THE_SETTINGS = new Set([7, 8, 13]);

/**
 * Active Directory's reasons, Windows error codes in hexadecimal, of those that it gives only to the right password
 * (https://ldapwiki.com/wiki/Common%20Active%20Directory%20Bind%20Errors; in Samba `authsam_account_ok` runs after
 * the password check, source4/auth/ntlm/auth_sam.c). Not among them: 525 no such user, 52e wrong password,
 * 775 locked out, which comes before the password is looked at.
 */
const ACTIVE_DIRECTORY_REASONS = new Map<string, Verdict>([
  ['532', { outcome: 'PasswordExpired' }],
  ['773', { outcome: 'PasswordExpired' }], // must change it at the next logon
  ['533', { outcome: 'Inactive', reason: 'Disabled' }],
  ['701', { outcome: 'Inactive', reason: 'Expired' }],
]);

// "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 533, v4563"
const ACTIVE_DIRECTORY_DIAGNOSTIC =
  /^[0-9A-F]{8}: LdapErr: DSID-[0-9A-F]{8}, comment: AcceptSecurityContext error, data ([0-9a-f]{1,8}),/i;

/**
 * What a bind with a password that is not empty says of it.
 * @param readAccount called where the password is accepted
 * @throws {DirectoryError} for an answer that says nothing of the account: a busy or broken server
 */
export function verdictOfBind(answer: BindAnswer, readAccount: () => DirectoryAccount): Verdict {
  const { resultCode, policyError } = answer;
  if (resultCode === SUCCESS) return verdictOfSuccess(policyError, readAccount);
  if (resultCode === INVALID_CREDENTIALS) return verdictOfRefusal(answer);
  if (ABOUT_THE_ACCOUNT.has(resultCode)) return { outcome: 'Refused' };
  if (ABOUT_THE_SETTINGS.has(resultCode)) {
    throw new DirectoryError(
      'DirectoryMisconfigured',
      `The directory does not take simple binds over this connection (LDAP result ${resultCode}): allow them there.`,
      { fault: 'BindRefused' },
    );
  }
  throw new DirectoryError(
    'DirectoryUnreachable',
    `The directory could not check a password (LDAP result ${resultCode}): look into its log.`,
    { fault: 'ServerFailed' },
  );
}

// A password that was reset binds, and may do nothing but be changed: somebody else knows it.
function verdictOfSuccess(policyError: number | undefined, readAccount: () => DirectoryAccount): Verdict {
  switch (policyError) {
    case PasswordPolicyError.PasswordExpired:
    case PasswordPolicyError.ChangeAfterReset:
      return { outcome: 'PasswordExpired' };
    case PasswordPolicyError.AccountLocked:
      return { outcome: 'Refused' };
    default:
      return { outcome: 'Accepted', account: readAccount() };
  }
}

// `passwordExpired` comes only after the right password: OpenLDAP sets it where the bind had succeeded
// (ppolicy_bind_response in servers/slapd/overlays/ppolicy.c), 389 DS in need_new_pw, which runs after the check.
// `accountLocked` comes before it.
function verdictOfRefusal({ diagnostic, policyError }: BindAnswer): Verdict {
  if (policyError === PasswordPolicyError.PasswordExpired) return { outcome: 'PasswordExpired' };
  const reason = ACTIVE_DIRECTORY_DIAGNOSTIC.exec(diagnostic)?.[1]?.toLowerCase();
  return ACTIVE_DIRECTORY_REASONS.get(reason ?? '') ?? { outcome: 'Refused' };
}
