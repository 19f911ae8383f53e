import { describe, expect, test } from '@jest/globals';
import { sessionCounts } from '../../src/domain/decide.ts';
import { sessionEnd, startSession, type SessionEnd } from '../../src/domain/session.ts';
import type { Witness } from '../../src/domain/witness.ts';
import { ada, aPicture, aSession, NOW, policyWith } from './pictures.ts';
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
    expect(sessionEnd({ ...user, status: { session } }, policy, undefined)).toBe('NewEpoch');
    expect(sessionEnd({ ...user, status: { session } }, drawn, undefined)).toBe('NewEpoch');
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
    expect(sessionEnd(user, policyWith(), seen)).toBe(end === 'counts' ? undefined : end);
    expect(sessionCounts(aPicture({ user, seen }))).toBe(end === 'counts');
  });

  test('is not over where there is none, and does not count either', () => {
    const user = ada({ status: {} });
    expect(sessionEnd(user, policyWith(), undefined)).toBeUndefined();
    expect(sessionCounts(aPicture({ user }))).toBe(false);
  });

  test('does not count without a policy', () => {
    expect(sessionCounts(aPicture({ policy: undefined }))).toBe(false);
  });
});
