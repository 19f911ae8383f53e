import { expect, test } from '@jest/globals';
import { claimsDigest, identityClaims } from '../../src/domain/claims.ts';
import { startSession } from '../../src/domain/session.ts';
import { samplePolicy, sampleUser } from './sample.ts';

const NOW = new Date('2030-01-01T00:00:00Z');
const claimsOf = (user = sampleUser()) =>
  identityClaims(user, startSession(user, samplePolicy(), 'sid', NOW), samplePolicy());

test('a token is for the UID of the User, whatever its name', () => {
  expect(claimsOf()).toMatchObject({
    sub: 'uid-ada',
    sid: 'sid',
    preferred_username: 'ada',
    'latchkey.dev/namespace': 'ada',
    groups: [],
  });
});

test('what the User does not say is not in the token', () => {
  expect(Object.keys(claimsOf())).not.toEqual(expect.arrayContaining(['email', 'name']));
});

test.each(['system:masters', 'a,b', 'a\nb', 'a\u0000', 'a\u0085b', ''])(
  'the group %j never gets into a token, even past a loosened schema',
  (group) => {
    expect(claimsOf(sampleUser({ spec: { groups: ['good', group] } })).groups).toEqual(['good']);
  },
);

test.each([{ groups: ['x'] }, { role: 'admin' as const }, { email: 'a@b' }, { displayName: 'Ada' }])(
  'the digest differs when the User says %j',
  (spec) => {
    expect(claimsDigest(claimsOf(sampleUser({ spec })))).not.toBe(claimsDigest(claimsOf()));
  },
);

test('the digest stays when nothing that a token says has changed', () => {
  expect(claimsDigest(claimsOf(sampleUser({ generation: 7 })))).toBe(claimsDigest(claimsOf()));
});
