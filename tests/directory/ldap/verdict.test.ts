// Every answer of a directory to a user's bind, and what becomes of it.
import { describe, expect, test } from '@jest/globals';
import { DirectoryError } from '../../../src/directory/directory.ts';
import type { BindAnswer } from '../../../src/directory/ldap/bind.ts';
import { verdictOfBind } from '../../../src/directory/ldap/verdict.ts';

const ACCOUNT = { id: 'a-1' };
const ACCEPTED = { outcome: 'Accepted', account: ACCOUNT };
const REFUSED = { outcome: 'Refused' };
const EXPIRED = { outcome: 'PasswordExpired' };

function activeDirectory(data: string): BindAnswer {
  const diagnostic = `80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data ${data}, v4563\0`;
  return { resultCode: 49, diagnostic };
}

function answer(resultCode: number, policyError?: number): BindAnswer {
  return { resultCode, diagnostic: '', ...(policyError !== undefined && { policyError }) };
}

describe('a verdict', () => {
  test.each<[string, BindAnswer, object]>([
    ['success', answer(0), ACCEPTED],
    ['success, and the password must be changed after a reset', answer(0, 2), EXPIRED],
    ['success, and the password has expired', answer(0, 0), EXPIRED],
    ['success of an account that the policy calls locked', answer(0, 1), REFUSED],
    ['success with a policy error of later numbers', answer(0, 99), ACCEPTED],
    ['invalid credentials', answer(49), REFUSED],
    ['invalid credentials, password expired', answer(49, 0), EXPIRED],
    ['invalid credentials, account locked', answer(49, 1), REFUSED],
    ['invalid credentials, change after reset', answer(49, 2), REFUSED],
    ['Active Directory: no such user', activeDirectory('525'), REFUSED],
    ['Active Directory: wrong password', activeDirectory('52e'), REFUSED],
    ['Active Directory: not at this hour', activeDirectory('530'), REFUSED],
    ['Active Directory: password expired', activeDirectory('532'), EXPIRED],
    ['Active Directory: disabled', activeDirectory('533'), { outcome: 'Inactive', reason: 'Disabled' }],
    ['Active Directory: expired', activeDirectory('701'), { outcome: 'Inactive', reason: 'Expired' }],
    ['Active Directory: must change the password', activeDirectory('773'), EXPIRED],
    ['Active Directory: locked out', activeDirectory('775'), REFUSED],
    ['constraint violation', answer(19), REFUSED],
    ['no such object', answer(32), REFUSED],
    ['inappropriate authentication', answer(48), REFUSED],
    ['insufficient access rights', answer(50), REFUSED],
    ['unwilling to perform', answer(53), REFUSED],
    ['unwilling to perform, account locked', answer(53, 1), REFUSED],
  ])('of %s', (_name, given, expected) => {
    expect(verdictOfBind(given, () => ACCOUNT)).toEqual(expected);
  });

  test('is not read out of words of Active Directory that only appear inside a diagnostic', () => {
    const { diagnostic } = activeDirectory('533');
    expect(verdictOfBind({ resultCode: 49, diagnostic: `bind as "${diagnostic}"` }, () => ACCOUNT)).toEqual(
      REFUSED,
    );
  });

  test('is not read out of a diagnostic where the result is another than invalid credentials', () => {
    const { diagnostic } = activeDirectory('533');
    expect(verdictOfBind({ resultCode: 53, diagnostic }, () => ACCOUNT)).toEqual(REFUSED);
  });

  test.each([1, 2, 3, 10, 11, 14, 51, 52, 54, 80, 118, 4096, -1])(
    'is not given for result %i, which says nothing of the account',
    (resultCode) => {
      expect(codeOf(() => verdictOfBind(answer(resultCode), () => ACCOUNT))).toBe('DirectoryUnreachable');
    },
  );

  test.each([7, 8, 13])('is not given for result %i, which refuses every simple bind', (resultCode) => {
    expect(codeOf(() => verdictOfBind(answer(resultCode), () => ACCOUNT))).toBe('DirectoryMisconfigured');
  });
});

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DirectoryError) return error.code;
    throw error;
  }
  throw new Error('expected an error');
}
