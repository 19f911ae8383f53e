// What a TokenReview is answered, by Kubernetes' rules for audiences and names; and what is no TokenReview.
import { describe, expect, test } from '@jest/globals';
import { answerReview, parseReview, type ReviewSpec } from '../../../src/servers/token-review/review.ts';
import type { Verdict } from '../../../src/verification/verification.ts';
import { ADA } from '../../issuer/samples.ts';

const settings = { namePrefix: 'latchkey:', apiServerAudience: 'https://kubernetes.default.svc' };
const asked: ReviewSpec = { token: 'a.b.c', audiences: ['latchkey'] };

type Accepted = Verdict & { outcome: 'Accepted' };
function accepted(identity: Partial<Accepted['identity']> = {}): Accepted {
  const { sub, sid, aud, preferred_username } = ADA;
  const own = { sub, sid, aud, preferred_username, 'latchkey.dev/namespace': 'ada' };
  return {
    outcome: 'Accepted',
    identity: { ...ADA, ...identity },
    claims: { ...own, jti: 'a-number', exp: 2, iat: 1, nbf: 1 },
  };
}

const status = (spec: Partial<ReviewSpec>, verdict: Verdict) =>
  answerReview({ ...asked, ...spec }, verdict, settings).status;

describe('a yes', () => {
  test('is a TokenReview with the user of now, under the prefix', () => {
    expect(
      answerReview(asked, accepted({ role: 'admin', groups: ['physics', 'analytics'] }), settings),
    ).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      status: {
        authenticated: true,
        user: {
          username: 'latchkey:ada',
          uid: ADA.sub,
          groups: ['latchkey:physics', 'latchkey:analytics'],
          extra: {
            'latchkey.dev/jti': ['a-number'],
            'latchkey.dev/sid': [ADA.sid],
            'latchkey.dev/role': ['admin'],
          },
        },
        audiences: ['latchkey'],
      },
    });
  });

  test.each<[string, ReviewSpec['audiences'], string[], string[] | undefined]>([
    ['the ones in common', ['elsewhere', 'latchkey'], ['latchkey', 'kubernetes'], ['latchkey']],
    ['all in common, each once', ['b', 'a', 'b'], ['a', 'b', 'c'], ['b', 'a']],
    ['the API server’s, where none is named', [], ['latchkey', settings.apiServerAudience], [settings.apiServerAudience]],
    ['the API server’s, where the list is missing', undefined, [settings.apiServerAudience], [settings.apiServerAudience]],
    ['the API server’s, where the list is null', null, [settings.apiServerAudience], [settings.apiServerAudience]],
    ['none: refused, where none is named and it is not for the API server', [], ['latchkey'], undefined],
    ['none: refused, where they have none in common', ['elsewhere'], ['latchkey'], undefined],
    ['none: refused, where one begins as the other does', ['latch'], ['latchkey'], undefined],
    ['none: refused, where the named one is empty', [''], ['latchkey'], undefined],
  ])('names the audiences: %s', (_, audiences, aud, expected) => {
    const answer = status({ audiences }, accepted({ aud }));
    expect(answer.audiences).toEqual(expected);
    expect(answer.authenticated).toBe(expected !== undefined);
    if (!expected) expect(answer).toEqual({ authenticated: false, error: 'the token is not valid' });
  }); // prettier-ignore

  test.each(['system:admin', 'a:b', 'ada,root', 'ada\n', ''])('is never one for the username %j', (name) => {
    expect(status({}, accepted({ preferred_username: name }))).toEqual({
      authenticated: false,
      error: 'the token is not valid',
    });
  });
});

describe('a no', () => {
  test.each(['Expired', 'SwitchedOff', 'SessionEnded', 'UnknownKey'])('says nothing of %s', (reason) => {
    expect(status({}, { outcome: 'Refused', reason })).toEqual({
      authenticated: false,
      error: 'the token is not valid',
    });
  });

  test('says that it may pass, where nothing is known', () => {
    expect(status({}, { outcome: 'Undecided', reason: 'CacheNotProven' })).toEqual({
      authenticated: false,
      error: 'the token cannot be checked at the moment',
    });
  });
});

describe('what is asked', () => {
  const good = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'a.b.c' } };

  test('is read, whatever else the object carries', () => {
    const review = { ...good, metadata: { creationTimestamp: null }, status: { user: {} }, more: 1 };
    expect(parseReview(review)).toEqual({ spec: { token: 'a.b.c' } });
  });

  test.each<[string, unknown]>([
    ['--authentication-token-webhook-version=v1', { ...good, apiVersion: 'authentication.k8s.io/v1beta1' }],
    ['apiVersion', { ...good, apiVersion: undefined }],
    ['kind must be TokenReview', { ...good, kind: 'SubjectAccessReview' }],
    ['spec', { ...good, spec: undefined }],
    ['spec.token is required', { ...good, spec: { token: '' } }],
    ['spec.token', { ...good, spec: {} }],
    ['spec.token', { ...good, spec: { token: ['a.b.c'] } }],
    ['spec.audiences', { ...good, spec: { token: 'a.b.c', audiences: 'latchkey' } }],
    ['spec.audiences.1', { ...good, spec: { token: 'a.b.c', audiences: ['latchkey', 1] } }],
    ['the body', null],
    ['the body', undefined],
    ['the body', []],
    ['the body', 'text'],
  ])('is refused with a word about %s', (word, body) => {
    expect(parseReview(body)).toEqual({ problem: expect.stringContaining(word) });
  });

  test('is never quoted', () => {
    const secret = 'eyJhbGciOiJub25lIn0';
    const bodies = [
      { ...good, apiVersion: secret },
      { ...good, kind: secret },
      { ...good, spec: secret },
      secret,
    ];
    for (const body of bodies) expect(JSON.stringify(parseReview(body))).not.toContain(secret);
  });
});
