import { describe, expect, test } from '@jest/globals';
import { collectedInMs, isLeftToOthers, orphan, type OrphanObserved } from '../../src/domain/orphans.ts';
import { aNamespace } from './pictures.ts';

/** Ada is gone, Grace lives. */
const pictureOf = (change: Partial<OrphanObserved>): OrphanObserved => ({
  namespace: aNamespace(),
  secret: { userUID: 'uid-ada' },
  lives: (uid) => uid === 'uid-grace',
  claimed: false,
  ...change,
});
const collected = (change: Partial<OrphanObserved>) => orphan(pictureOf(change));

describe('of a User that is gone', () => {
  test('the namespace that was made for it is collected', () => {
    expect(collected({})).toBe('Namespace');
    expect(collected({ secret: undefined })).toBe('Namespace');
  });

  test.each(['handed-over', 'foreign'] as const)('only the Secret is collected where it is %s', (kind) => {
    const namespace = aNamespace({ kind, userUID: undefined });
    expect(collected({ namespace })).toBe('Secret');
    expect(collected({ namespace, secret: undefined })).toBeUndefined();
  });
});

describe('nothing is collected', () => {
  test.each<[string, Partial<OrphanObserved>]>([
    ['of a namespace whose User lives', { namespace: aNamespace({ userUID: 'uid-grace' }) }],
    [
      'of a namespace whose User lives, whatever the Secret in it says',
      { namespace: aNamespace({ userUID: 'uid-grace' }), secret: { userUID: 'uid-ada' } },
    ],
    ['that a living User claims, as after a restored backup', { claimed: true }],
    [
      'that a living User claims in a namespace that was handed over',
      { claimed: true, namespace: aNamespace({ kind: 'handed-over', userUID: undefined }) },
    ],
    ['that does not say whose it is', { namespace: aNamespace({ userUID: undefined }), secret: undefined }],
    [
      "that we did not make: somebody's own Secret",
      { namespace: aNamespace({ kind: 'foreign', userUID: undefined }), secret: { userUID: undefined } },
    ],
    [
      'that belongs to somebody who lives, in a namespace that was handed over',
      { namespace: aNamespace({ kind: 'handed-over' }), secret: { userUID: 'uid-grace' } },
    ],
  ])('%s', (_, change) => {
    expect(collected(change)).toBeUndefined();
  });
});

test.each([
  ['just seen', undefined, 0, 3_600_000],
  ['seen a while ago', undefined, 3_000_000, 600_000],
  ['seen long ago', undefined, 4_000_000, 0],
  ['that an admin has confirmed', 'k7mx2q', 0, 0],
])('a namespace %s is collected when it is time', (_, hold, waitedMs, leftMs) => {
  expect(collectedInMs({ given: true, hold }, waitedMs, 3_600_000)).toBe(leftMs);
});

describe('the token of a User that is gone, in a namespace that somebody else claims by now', () => {
  const handedOver = { claimed: true, namespace: aNamespace({ kind: 'handed-over', userUID: undefined }) };
  test.each<[boolean, string, Partial<OrphanObserved>]>([
    [true, 'in a namespace that was handed over', {}],
    [true, 'in one whose label was taken away', { namespace: aNamespace({ kind: 'foreign' }) }],
    [false, 'in one that we made, where it is written over', { namespace: aNamespace() }],
    [false, 'that nobody claims, which may have been an accident', { claimed: false }],
    [false, 'whose User lives', { secret: { userUID: 'uid-grace' } }],
    [false, 'that is not ours', { secret: { userUID: undefined } }],
    [false, 'that is not there', { secret: undefined }],
  ])('%s: %s', (goes, _, change) => {
    expect(isLeftToOthers(pictureOf({ ...handedOver, ...change }), false)).toBe(goes);
  });

  test('false: that is its own by its UID, whatever the label says', () => {
    expect(isLeftToOthers(pictureOf(handedOver), true)).toBe(false);
  });
});
