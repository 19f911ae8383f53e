import { describe, expect, test } from '@jest/globals';
import type { Observed } from '../../src/domain/observed.ts';
import {
  namespaceClaim,
  ownsAnchor,
  ownsBinding,
  ownsSecret,
  type NamespaceClaim,
} from '../../src/domain/ownership.ts';
import { aBinding, ada, anAnchor, aNamespace, aPicture, aSecret } from './pictures.ts';
import { sampleUser } from './sample.ts';

const ELDER = sampleUser({ name: 'elder', uid: 'uid-elder', createdAt: '2029-01-01T00:00:00Z' });

describe('a namespace is', () => {
  test.each<[NamespaceClaim, string, Partial<Observed>]>([
    ['Absent', 'it does not exist', { namespace: undefined }],
    ['Made', 'we made it for this User', {}],
    ['Made', 'it is on its way', { namespace: aNamespace({ deleting: true }) }],
    [
      'HandedOver',
      'an admin says so',
      { namespace: aNamespace({ kind: 'handed-over', userUID: undefined }) },
    ],
    [
      'HandedOver',
      'an admin took back one that we made',
      { namespace: aNamespace({ kind: 'handed-over', userUID: 'uid-ada' }) },
    ],
    ['Foreign', 'it has no label', { namespace: aNamespace({ kind: 'foreign', userUID: undefined }) }],
    ['Foreign', 'its label was taken away', { namespace: aNamespace({ kind: 'foreign' }) }],
    ['Taken', 'an older User claims it', { namespace: undefined, namespaceHolder: ELDER }],
    [
      'Taken',
      'an older User claims it, handed over or not',
      { namespace: aNamespace({ kind: 'handed-over', userUID: undefined }), namespaceHolder: ELDER },
    ],
    ['Taken', 'we made it for another User', { namespace: aNamespace({ userUID: 'uid-elder' }) }],
    [
      'Orphaned',
      'we made it for a User that is gone',
      { namespace: aNamespace({ userUID: 'uid-gone' }), namespaceOwnerLives: false },
    ],
    [
      'Reserved',
      "it is the operator's own, whatever its labels say",
      { settings: { portal: 'https://portal.example.org', operatorNamespace: 'ada' } },
    ],
  ])('%s where %s', (claim, _, change) => {
    expect(namespaceClaim(aPicture(change))).toBe(claim);
  });

  test('kept by the User that it was made for when another one of the same second counts as older', () => {
    const twin = sampleUser({ name: 'twin', uid: 'uid-a-twin' });
    expect(namespaceClaim(aPicture({ namespaceHolder: twin }))).toBe('Made');
    const theirs = { user: twin, usernameHolder: twin, namespaceHolder: twin };
    expect(namespaceClaim(aPicture(theirs))).toBe('Taken');
  });
});

describe('what tokens of Kubernetes hang on is ours', () => {
  const stripped = anAnchor({ userUID: undefined });
  const known = ada({ status: { anchorUID: 'uid-anchor' } });
  test.each<[boolean, NamespaceClaim, string, Partial<Observed>]>([
    [true, 'Made', 'whatever its labels say', { anchor: stripped }],
    [true, 'HandedOver', 'by its label', { anchor: anAnchor() }],
    [true, 'HandedOver', 'by its UID, when its label is gone', { anchor: stripped, user: known }],
    [false, 'HandedOver', 'without a label', { anchor: stripped }],
    [false, 'HandedOver', 'when there is none', {}],
  ])('%s, %s: %s', (owned, claim, _, change) => {
    expect(ownsAnchor(aPicture(change), claim)).toBe(owned);
  });
});

describe('a Secret access-token is ours', () => {
  const stripped = aSecret({ userUID: undefined });
  const others = aSecret({ userUID: 'uid-elder' });
  const known = ada({ status: { secretUID: 'uid-secret' } });
  test.each<[boolean, NamespaceClaim, string, Partial<Observed>]>([
    [true, 'Made', 'whatever its labels say', { secret: stripped }],
    [true, 'Orphaned', 'as the namespace was made by us', { secret: aSecret({ userUID: 'uid-gone' }) }],
    [true, 'HandedOver', 'by its label', {}],
    [true, 'HandedOver', 'by its UID, when its label is gone', { secret: stripped, user: known }],
    [false, 'HandedOver', 'without a label', { secret: stripped }],
    [false, 'HandedOver', "with another User's label", { secret: others }],
    [
      false,
      'HandedOver',
      'when another one has taken its place',
      { secret: { ...stripped, uid: 'uid-new' }, user: known },
    ],
    [true, 'Foreign', 'by its label', {}],
    [true, 'Taken', 'by its label', {}],
    [false, 'Foreign', 'without a label', { secret: stripped }],
    [false, 'Taken', "with another User's label", { secret: others }],
    [false, 'Reserved', 'without a label', { secret: stripped }],
    [false, 'Made', 'when there is none', { secret: undefined }],
  ])('%s: in a namespace that is %s, %s', (ours, claim, _, change) => {
    expect(ownsSecret(aPicture(change), claim)).toBe(ours);
  });
});

describe('a RoleBinding is ours', () => {
  test.each<[boolean, NamespaceClaim, string | undefined]>([
    [true, 'Made', undefined],
    [true, 'Orphaned', 'uid-gone'],
    [true, 'HandedOver', 'uid-ada'],
    [false, 'HandedOver', undefined],
    [false, 'HandedOver', 'uid-elder'],
    [true, 'Foreign', 'uid-ada'],
    [false, 'Foreign', undefined],
  ])('%s: in a namespace that is %s, with the label %s', (ours, claim, userUID) => {
    expect(ownsBinding(aPicture({ binding: aBinding({ userUID }) }), claim)).toBe(ours);
  });

  test('false where there is none', () => {
    expect(ownsBinding(aPicture({ binding: undefined }), 'Made')).toBe(false);
  });
});
