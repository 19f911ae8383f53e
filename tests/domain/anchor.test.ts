// What becomes of the Secret that tokens of Kubernetes hang on, by example.
import { describe, expect, test } from '@jest/globals';
import { anchored, anchoredDigest, sessionOfKubernetes } from '../../src/domain/anchor.ts';
import { identityClaims } from '../../src/domain/claims.ts';
import { decide } from '../../src/domain/decide.ts';
import type { AnchorView } from '../../src/domain/observed.ts';
import type { NamespaceClaim } from '../../src/domain/ownership.ts';
import { ada, anAnchor, aPicture, aSession, MINUTE_MS, NOW, policyWith, writtenToken } from './pictures.ts';

const session = aSession();
const BY_KUBERNETES = policyWith({ tokenSource: 'Kubernetes' });

describe('an anchor', () => {
  test.each<[string, string | undefined, AnchorView | undefined, typeof session | undefined, NamespaceClaim?]>([
    ['there is none, and a token is wanted', 'CreateAnchor', undefined, session],
    ['there is none, and no token is wanted', undefined, undefined, undefined],
    ['it is that of the session', undefined, anAnchor(), session],
    ['it is that of an earlier session', 'DeleteAnchor', anAnchor({ session: 'session-0' }), session],
    ['nobody says which session it is of', 'DeleteAnchor', anAnchor({ session: undefined }), session],
    ['the session has ended', 'DeleteAnchor', anAnchor(), undefined],
    ['the session has ended, and nobody says which it is of', 'DeleteAnchor', anAnchor({ session: undefined }), undefined],
    ['somebody has put a finalizer on it', 'DeleteAnchor', anAnchor({ finalizers: true }), session],
    ['it goes', undefined, anAnchor({ deleting: true }), session],
    ['it does not go for a finalizer', 'DeleteAnchor', anAnchor({ deleting: true, finalizers: true }), session],
    ['it is somebody else’s', undefined, anAnchor({ userUID: 'uid-eve', session: 'x' }), session, 'HandedOver'],
    ['it is in a namespace that we made, whatever its label', 'DeleteAnchor', anAnchor({ userUID: 'uid-eve' }), undefined, 'Made'],
  ])('where %s: %s', (_, step, anchor, wanted, claim = 'Made') => {
    const found = anchored(aPicture({ anchor }), claim, wanted);
    expect(found.step?.do).toBe(step);
    expect(found.ready).toBe(step === undefined && anchor?.deleting === false && wanted && claim === 'Made' ? anchor : undefined);
  }); // prettier-ignore

  test('is wanted only where the policy says so', () => {
    expect(sessionOfKubernetes(BY_KUBERNETES, session)).toBe(session);
    expect(sessionOfKubernetes(BY_KUBERNETES, undefined)).toBeUndefined();
    expect(sessionOfKubernetes(policyWith(), session)).toBeUndefined();
    expect(sessionOfKubernetes(undefined, session)).toBeUndefined();
  });
});

describe('a token of Kubernetes', () => {
  const user = ada();
  const claims = identityClaims(user, session, BY_KUBERNETES);
  const picture = (anchor: AnchorView | undefined, digest: string, policy = BY_KUBERNETES) =>
    aPicture({
      user,
      policy,
      anchor,
      secret: {
        ...aPicture().secret!,
        written: writtenToken(user, policy, 25 * MINUTE_MS, { claims: digest, kid: undefined }),
      },
    });
  const does = (...args: Parameters<typeof picture>) => decide(picture(...args), NOW).steps;
  const digest = anchoredDigest(claims, anAnchor());

  test('is left alone while it hangs on the anchor of the session', () => {
    expect(does(anAnchor(), digest)).toEqual([]);
  });

  test.each([
    [0, 5_000],
    [1, 5_001],
  ])('is replaced %i times where its time ends %i ms later than it may: clocks differ', (times, ms) => {
    const known = picture(anAnchor(), digest);
    const late = writtenToken(user, BY_KUBERNETES, 30 * MINUTE_MS + ms, { claims: digest, kid: undefined });
    const { steps } = decide({ ...known, secret: { ...known.secret!, written: late } }, NOW);
    expect(steps).toHaveLength(times);
  });

  test('is replaced where it hangs on another one, and is never written before there is one', () => {
    expect(does(anAnchor({ uid: 'uid-anchor-2' }), digest)).toMatchObject([
      { do: 'WriteToken', anchor: 'uid-anchor-2', session: 'session-1' },
    ]);
    expect(does(undefined, digest)).toEqual([{ do: 'CreateAnchor', session: 'session-1', epoch: 'epoch' }]);
    expect(does(anAnchor({ session: 'session-0' }), digest)).toEqual([{ do: 'DeleteAnchor' }]);
  });

  test('gives way to one of Latchkey where the policy changes its mind', () => {
    const steps = does(anAnchor(), digest, policyWith());
    expect(steps.map((step) => step.do)).toEqual(['WriteToken', 'DeleteAnchor']);
    expect(steps[0]).not.toHaveProperty('anchor');
  });

  test('dies with what it hangs on before it leaves the Secret: nobody’s copy of it is left', () => {
    const steps = decide(
      { ...picture(anAnchor(), digest), user: ada({ spec: { disabled: true } }) },
      NOW,
    ).steps;
    expect(steps.map((step) => step.do)).toEqual(['DeleteAnchor', 'ClearToken']);
  });

  test('does not depend on groups and role, which it does not carry', () => {
    expect(anchoredDigest({ ...claims, groups: ['other'], role: 'admin' }, anAnchor())).toBe(digest);
    expect(anchoredDigest({ ...claims, aud: ['other'] }, anAnchor())).not.toBe(digest);
    expect(anchoredDigest({ ...claims, sid: 'other' }, anAnchor())).not.toBe(digest);
  });
});
