// What people are told when signing in does not work.
import { describe, expect, test } from '@jest/globals';
import { refusalOf } from '../../../src/servers/portal/refusals.ts';

const contact = 'the platform team';
const passwordChangeUrl = new URL('https://passwords.example.com/change');

describe('what a person is told when signing in does not work', () => {
  test('a wrong password and an unknown user are one', () => {
    expect(refusalOf({ outcome: 'Refused' }, { contact })).toEqual({
      status: 401,
      problem: {
        title: 'That did not work',
        text: 'The username or the password is wrong. Please try again.',
        fieldsAreWrong: true,
      },
    });
  });

  test('an expired password leads to where it is changed', () => {
    const { status, problem } = refusalOf({ outcome: 'PasswordExpired' }, { contact, passwordChangeUrl });
    expect(status).toBe(403);
    expect(problem.title).toBe('Your password has expired');
    expect(problem.link?.href).toBe('https://passwords.example.com/change');
  });

  test('an expired password without such a place says whom to ask', () => {
    const { problem } = refusalOf({ outcome: 'PasswordExpired' }, { contact });
    expect(problem.text).toContain('Ask the platform team.');
    expect(problem.link).toBeUndefined();
  });

  test('an account without a User says whom to ask', () => {
    const { status, problem } = refusalOf({ outcome: 'NoUser' }, { contact });
    expect(status).toBe(403);
    expect(problem.text).toContain('Ask the platform team.');
  });

  test('a closed gate says which, and what to do', () => {
    const message = 'An administrator switched your access off.';
    const { status, problem } = refusalOf(
      { outcome: 'NoAccess', reason: 'UserDisabled', message },
      { contact },
    );
    expect(status).toBe(403);
    expect(problem).toMatchObject({ text: message, reason: 'UserDisabled', fieldsAreWrong: false });
  });

  test.each([
    [0.2, 1, 'in 1 second'],
    [59.1, 60, 'in 60 seconds'],
    [600, 600, 'in 10 minutes'],
  ])('too many attempts: %d s left are %i in the header, and "%s"', (seconds, header, wait) => {
    const refusal = refusalOf({ outcome: 'TooManyAttempts', retryAfterSeconds: seconds }, { contact });
    expect(refusal).toMatchObject({ status: 429, retryAfterSeconds: header });
    expect(refusal.problem.text).toContain(`Try again ${wait}.`);
  });

  test('an unreachable directory is nobody’s fault, and passes', () => {
    const refusal = refusalOf({ outcome: 'Unavailable' }, { contact });
    expect(refusal).toMatchObject({ status: 503, retryAfterSeconds: 30 });
    expect(refusal.problem.fieldsAreWrong).toBe(false);
  });
});
