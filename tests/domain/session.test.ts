import { describe, expect, test } from '@jest/globals';
import { sessionCounts } from '../../src/domain/decide.ts';
import {
  continueSession,
  isPasswordNewer,
  sessionEnd,
  startSession,
  type SessionEnd,
} from '../../src/domain/session.ts';
import type { Witness } from '../../src/domain/witness.ts';
import { ada, aPicture, aSession, later, NOW, policyWith } from './pictures.ts';
import { sampleUser } from './sample.ts';

describe('a session', () => {
  test('begins under the epoch, the UID and the generation of its moment', () => {
    const user = ada({ metadata: { generation: 4 } });
    expect(startSession(user, policyWith({}, { epoch: 'epoch-9' }), 'session-2', NOW)).toEqual({
      id: 'session-2',
      startedAt: '2030-01-01T12:00:00Z',
      epoch: 'epoch-9',
      userUID: 'uid-ada',
      generation: 4,
    });
  });

  test('never counts where it began without an epoch', () => {
    const user = sampleUser();
    const { status: _, ...policy } = policyWith();
    const session = startSession(user, policy, 'session-2', NOW);
    const drawn = policyWith({}, { epoch: 'epoch' });
    expect(sessionEnd({ ...user, status: { session } }, policy, undefined, NOW)).toBe('NewEpoch');
    expect(sessionEnd({ ...user, status: { session } }, drawn, undefined, NOW)).toBe('NewEpoch');
  });

  const watched: Witness = { generation: 3, openSince: 1 };
  const shutBetween: Witness = { generation: 3, openSince: 3 };
  test.each<
    [SessionEnd | 'counts', string, number, Partial<ReturnType<typeof aSession>>, Witness | undefined]
  >([
    ['counts', 'nothing has changed', 1, {}, undefined],
    ['counts', 'one change was not watched, as what is seen is all of it', 2, {}, undefined],
    ['counts', 'two changes were watched', 3, {}, watched],
    ['counts', 'it is accounted for up to the change before', 3, { generation: 2 }, undefined],
    ['NewEpoch', 'an admin has ended all of them', 1, { epoch: 'epoch-0' }, undefined],
    ['RestoredUser', 'it came out of a backup with its User', 1, { userUID: 'uid-before' }, undefined],
    ['UnwatchedChange', 'two changes were not watched', 3, {}, undefined],
    ['UnwatchedChange', 'one of two watched changes shut the gate', 3, {}, shutBetween],
    ['UnwatchedChange', 'the witness has not come as far', 4, {}, watched],
  ])('%s where %s', (end, _, generation, change, seen) => {
    const user = ada({ metadata: { generation }, status: { session: aSession(change) } });
    expect(sessionEnd(user, policyWith(), seen, NOW)).toBe(end === 'counts' ? undefined : end);
    expect(sessionCounts(aPicture({ user, seen }), NOW)).toBe(end === 'counts');
  });

  test('is not over where there is none, and does not count either', () => {
    const user = ada({ status: {} });
    expect(sessionEnd(user, policyWith(), undefined, NOW)).toBeUndefined();
    expect(sessionCounts(aPicture({ user }), NOW)).toBe(false);
  });

  test('does not count without a policy', () => {
    expect(sessionCounts(aPicture({ policy: undefined }), NOW)).toBe(false);
  });
});

describe('a session whose age has an end', () => {
  // Ada has signed in 4 hours ago.
  const aged = (maxAge: string) => policyWith({ session: { maxAge, endOnPasswordChange: false } });

  test.each<[string, number, SessionEnd | undefined]>([
    ['5h', 0, undefined],
    ['4h', -1, undefined],
    ['4h', 0, 'SessionTooOld'],
    ['1h', 0, 'SessionTooOld'],
  ])('of %s, %d ms from now: %s', (maxAge, ms, end) => {
    expect(sessionEnd(ada(), aged(maxAge), undefined, later(ms))).toBe(end);
    expect(sessionCounts(aPicture({ policy: aged(maxAge) }), later(ms))).toBe(end === undefined);
  });

  test('begins anew when the user signs in once more, and else stays as it was', () => {
    expect(continueSession(aSession(), aged('5h'), NOW)).toEqual(
      aSession({ startedAt: '2030-01-01T12:00:00Z' }),
    );
    expect(continueSession(aSession(), policyWith(), NOW)).toEqual(aSession());
  });
});

describe('a password that was changed', () => {
  const AT = Date.parse('2030-01-01T06:00:00Z');
  const ends = policyWith({ session: { endOnPasswordChange: true } });
  const known = aSession({ passwordChangedAt: '2030-01-01T06:00:00Z' });

  test.each<[string, boolean, ReturnType<typeof aSession>, number | undefined]>([
    ['another time than at the sign-in, by whatever clock', true, known, AT + 1_000],
    ['the same time', false, known, AT],
    ['the same time, which was cut off to the second', false, known, AT + 999],
    ['an earlier time, of a replica that lags behind', false, known, AT - 60_000],
    ['a change that is demanded', true, known, Infinity],
    ['nothing any more', false, known, undefined],
    ['nothing at the sign-in, and a later time now', true, aSession(), Date.parse('2030-01-01T08:00:01Z')],
    ['nothing at the sign-in, and an earlier time now', false, aSession(), AT],
  ])('%s: %s', (_, isNewer, session, changedAt) => {
    expect(isPasswordNewer(session, ends, changedAt)).toBe(isNewer);
    expect(isPasswordNewer(session, policyWith(), changedAt)).toBe(false);
  });

  test.each([
    [AT, '2030-01-01T06:00:00Z'],
    [AT + 999, '2030-01-01T06:00:00Z'],
    [undefined, undefined],
    [Infinity, undefined],
    [-1, undefined],
    [8.64e15, undefined],
  ])('is noted at the sign-in: %s as %s', (ms, noted) => {
    const { passwordChangedAt } = startSession(ada(), ends, 'session-2', NOW, ms);
    expect(passwordChangedAt).toBe(noted);
  });
});
