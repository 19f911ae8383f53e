// The paragraph that answers "why?": each part of it, and that nothing of others gets into a terminal.
import { describe, expect, test } from '@jest/globals';
import type { Condition } from '../../src/api/metadata.ts';
import type { User } from '../../src/api/user.ts';
import { explain, type Evidence, type ToldEvent } from '../../src/domain/why.ts';
import { ada, aSession, later, MINUTE_MS, NOW, policyWith } from './pictures.ts';

const condition = (type: string, change: Partial<Condition>): Condition => ({
  type,
  status: 'False',
  reason: 'NotSignedIn',
  message: 'The user signs in at https://portal.test to get a token.',
  lastTransitionTime: '2030-01-01T11:00:00Z',
  observedGeneration: 1,
  ...change,
});

const READY = condition('Ready', {
  status: 'True',
  reason: 'TokenFresh',
  message: 'The Secret access-token holds a token that is kept fresh.',
});
const SIGNED_IN = condition('SignedIn', { status: 'True', reason: 'SignedIn', message: 'Signed in.' });
const OFF = condition('Ready', {
  reason: 'SwitchedOff',
  message: 'An admin has switched this User off (spec.disabled).',
  lastTransitionTime: '2030-01-01T11:55:00Z',
});

const userWith = (conditions: Condition[], status: User['status'] = {}): User =>
  ada({ status: { observedGeneration: 1, ...status, conditions } });

const paragraph = (change: Partial<Evidence>): string =>
  explain(
    {
      user: userWith([READY, SIGNED_IN], { session: aSession() }),
      policy: policyWith(),
      tokenExpiresAt: undefined,
      isLed: true,
      events: [],
      ...change,
    },
    NOW,
  );

const told = (minutesAgo: number, change: Partial<ToldEvent> = {}): ToldEvent => ({
  at: later(-minutesAgo * MINUTE_MS),
  reason: 'SignedIn',
  note: 'Signed in.',
  count: 1,
  ...change,
});

test('of a user with a token it says since when, and until when the token in the Secret lives', () => {
  expect(paragraph({ tokenExpiresAt: later(24.5 * MINUTE_MS), events: [told(240)] })).toBe(
    'ada: has a token, since 2030-01-01T11:00:00Z (1 hour ago). ' +
      'The Secret access-token holds a token that is kept fresh. ' +
      'Signed in since 2030-01-01T08:00:00Z (4 hours ago). ' +
      'The token in the Secret access-token lives for another 24 minutes. ' +
      'Lately, the newest first: 4 hours ago SignedIn: Signed in.',
  );
});

test('of a user without one it says since when, the cause in a word, and what to do', () => {
  const text = paragraph({
    user: userWith([OFF, condition('SignedIn', { reason: 'SwitchedOff', message: 'Off.' })]),
  });
  expect(text).toBe(
    'ada: has no token (SwitchedOff), since 2030-01-01T11:55:00Z (5 minutes ago). ' +
      'An admin has switched this User off (spec.disabled). ' +
      'Nothing happened lately that Kubernetes still knows of.',
  );
});

describe('it names', () => {
  test('the username and the namespace where they are others than the name', () => {
    const user = {
      ...userWith([READY]),
      spec: { ...ada().spec, username: 'Ada@example.org', namespace: 'home' },
    };
    expect(paragraph({ user })).toMatch(/^ada, username Ada@example\.org, namespace home: has a token/);
  });

  test('why the last session ended, where that is not the reason itself', () => {
    const user = userWith([
      condition('Ready', {}),
      condition('SignedIn', { reason: 'NewEpoch', message: 'Every session was ended at once.' }),
    ]);
    expect(paragraph({ user })).toContain(
      'Not signed in (NewEpoch), since 2030-01-01T11:00:00Z (1 hour ago). Every session was ended at once.',
    );
  });

  test('that somebody has never signed in', () => {
    const user = userWith([condition('Ready', {}), condition('SignedIn', { reason: 'NeverSignedIn' })]);
    expect(paragraph({ user })).toContain('Has never signed in.');
  });

  test('every other condition that says no', () => {
    const user = userWith([
      OFF,
      condition('DirectoryActive', { reason: 'AccountLocked', message: 'The account is locked.' }),
      condition('Licensed', { status: 'True', reason: 'Seat', message: 'Has a seat.' }),
    ]);
    const text = paragraph({ user });
    expect(text).toContain(
      'DirectoryActive is False (AccountLocked), since 2030-01-01T11:00:00Z (1 hour ago): The account is locked.',
    );
    expect(text).not.toContain('Has a seat');
  });

  test('since when the reason is so, where the token was gone for another one before', () => {
    const expired = { reason: 'LicenseExpired', message: 'It ended.' };
    const user = userWith([
      condition('Ready', { ...expired, lastTransitionTime: '2030-01-01T10:00:00Z' }),
      condition('Licensed', expired),
    ]);
    expect(paragraph({ user })).toContain(
      'has no token (LicenseExpired), since 2030-01-01T10:00:00Z (2 hours ago). It ended. ' +
        'That is so since 2030-01-01T11:00:00Z (1 hour ago).',
    );
  });

  test('what the TokenPolicy says, unless the user’s own reason says it', () => {
    const conditions = [condition('Ready', { reason: 'ClockSkew', message: 'Set the clocks.' })];
    const policy = policyWith({}, { conditions });
    expect(paragraph({ policy })).toContain(
      'The TokenPolicy (ClockSkew), since 2030-01-01T11:00:00Z (1 hour ago): Set the clocks.',
    );
    expect(paragraph({ policy, user: userWith(conditions) })).not.toContain('The TokenPolicy');
  });

  test('the finalizers of others that keep a User from going', () => {
    const user = userWith([OFF]);
    const metadata = {
      ...user.metadata,
      deletionTimestamp: '2030-01-01T11:00:00Z',
      finalizers: ['latchkey.dev/offboarding', 'example.org/mine'],
    };
    expect(paragraph({ user: { ...user, metadata } })).toContain(
      'It is being deleted since 2030-01-01T11:00:00Z (1 hour ago), and kept by finalizers of others: example.org/mine.',
    );
  });
});

describe('it is honest about what it does not know', () => {
  test('a User that nobody has looked at', () => {
    expect(paragraph({ user: ada({ status: {} }) })).toContain('Latchkey has not looked at this User yet');
  });

  test('a change that has not been taken up', () => {
    const user = userWith([READY]);
    const changed = { ...user, metadata: { ...user.metadata, generation: 2 } };
    expect(paragraph({ user: changed })).toContain('has not taken that up yet');
    expect(paragraph({ user })).not.toContain('has not taken that up yet');
  });

  test('a Latchkey that does not run', () => {
    expect(paragraph({ isLed: false })).toContain('No Latchkey leads at the moment');
    expect(paragraph({ isLed: undefined })).not.toContain('leads');
  });

  test('Events that the caller may not read', () => {
    expect(paragraph({ events: undefined })).toContain('You may not read Events');
  });

  test('a token that has expired in its Secret', () => {
    expect(paragraph({ tokenExpiresAt: later(-90_000) })).toContain('expired 1 minute ago');
  });
});

describe('of the Events', () => {
  test('the newest five are told, the newest first, and repeats with their number', () => {
    const events = [7, 1, 3, 2, 6, 5].map((minutes) =>
      told(minutes, { note: `${minutes}.`, count: minutes === 3 ? 4 : 1 }),
    );
    expect(paragraph({ events })).toContain(
      'Lately, the newest first: 1 minute ago SignedIn: 1. 2 minutes ago SignedIn: 2. ' +
        '3 minutes ago SignedIn, 4 times: 3. 5 minutes ago SignedIn: 5. 6 minutes ago SignedIn: 6.',
    );
    expect(paragraph({ events })).not.toContain('7.');
  });

  test('one from a clock that is ahead is not in the future', () => {
    expect(paragraph({ events: [told(-1)] })).toContain('0 seconds ago SignedIn');
  });

  test('what somebody else has written into one cannot move the cursor, hide or turn text around', () => {
    const note = 'a\u001B[2J\u001B]0;title\u0007b\r\nada: has a token\u202Ereversed\u2028next\u0000';
    const text = paragraph({ events: [told(1, { note, reason: 'x\u009By' })] });
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(text.split('\n')).toHaveLength(1);
  });
});
