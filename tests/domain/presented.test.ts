// Who may come in with a verified token, by example: one thing of a good picture is changed at a time.
import { describe, expect, test } from '@jest/globals';
import type { Observed } from '../../src/domain/observed.ts';
import { judge, type Presented } from '../../src/domain/presented.ts';
import { ada, aNamespace, aPicture, aSession, NOW, policyWith } from './pictures.ts';

const token: Presented = { sub: 'uid-ada', sid: 'session-1', aud: ['latchkey', 'kubernetes'] };
const audiences = (...aud: string[]) =>
  policyWith({ accessToken: { ttl: '30m', minRemaining: '10m', audiences: aud } });

describe('a yes', () => {
  test('says who the bearer is now', () => {
    const user = ada({
      spec: { role: 'admin', groups: ['today', 'system:masters'], email: 'ada@example.org' },
    });
    expect(judge(token, aPicture({ user }), NOW)).toEqual({
      accepted: true,
      identity: {
        sub: 'uid-ada',
        aud: ['latchkey'],
        sid: 'session-1',
        preferred_username: 'ada',
        email: 'ada@example.org',
        groups: ['today'],
        role: 'admin',
        'latchkey.dev/namespace': 'ada',
      },
    });
  });

  test.each([
    [
      ['latchkey', 'kubernetes'],
      ['latchkey', 'kubernetes'],
    ],
    [['kubernetes', 'elsewhere'], ['kubernetes']],
  ])('has, where the policy has the audiences %j, those of %j', (now, expected) => {
    expect(judge(token, aPicture({ policy: audiences(...now) }), NOW)).toMatchObject({
      identity: { aud: expected },
    });
  });
});

describe('a no', () => {
  const other = ada({
    metadata: { name: 'older', uid: 'uid-older', creationTimestamp: '2020-01-01T00:00:00Z' },
  });
  const session = (change: Parameters<typeof aSession>[0]) => ({
    user: ada({ status: { session: aSession(change) } }),
  });
  test.each<[string, string, Partial<Observed>]>([
    [
      'UnknownUser',
      'the User was made again under the same name',
      { user: ada({ metadata: { uid: 'uid-new' } }) },
    ],
    [
      'Offboarding',
      'the User is being deleted',
      { user: ada({ metadata: { deletionTimestamp: '2030-01-01T12:00:00Z' } }) },
    ],
    ['SwitchedOff', 'an admin has switched the User off', { user: ada({ spec: { disabled: true } }) }],
    ['NoTokenPolicy', 'there is no policy', { policy: undefined }],
    ['TokensSwitchedOff', 'the policy is switched off', { policy: policyWith({ enabled: false }) }],
    ['UsernameTaken', 'an older User holds the username', { usernameHolder: other }],
    ['AccountHasUser', 'an older User has the account', { accountHolder: other }],
    ['NamespaceNotOurs', 'the namespace was taken away', { namespace: aNamespace({ kind: 'foreign' }) }],
    ['SessionEnded', 'the user has ended the session', { user: ada({ status: {} }) }],
    ['SessionEnded', 'the user has signed in anew', session({ id: 'session-2' })],
    ['SessionEnded', 'the epoch is another one', session({ epoch: 'epoch-0' })],
    ['SessionEnded', 'the User came out of a backup', session({ userUID: 'uid-before' })],
    [
      'SessionEnded',
      'changes went unwatched',
      { user: ada({ metadata: { generation: 5 } }), seen: undefined },
    ],
    [
      'AudienceWithdrawn',
      'the policy has none of its audiences any more',
      { policy: audiences('elsewhere') },
    ],
  ])('%s where %s', (reason, _, change) => {
    expect(judge(token, aPicture(change), NOW)).toEqual({ accepted: false, reason });
  });

  test('UnknownUser where there is nobody', () => {
    expect(judge(token, undefined, NOW)).toEqual({ accepted: false, reason: 'UnknownUser' });
  });
});
