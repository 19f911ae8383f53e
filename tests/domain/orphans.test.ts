import { describe, expect, test } from '@jest/globals';
import { collectedInMs, orphan, type OrphanObserved } from '../../src/domain/orphans.ts';
import { aNamespace } from './pictures.ts';

/** Ada is gone, Grace lives. */
function collected(change: Partial<OrphanObserved>) {
  return orphan({
    namespace: aNamespace(),
    secret: { userUID: 'uid-ada' },
    lives: (uid) => uid === 'uid-grace',
    claimed: false,
    ...change,
  });
}

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
