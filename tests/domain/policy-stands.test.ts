import { describe, expect, test } from '@jest/globals';
import { policyFinalizers, policyStands, policyWentWithDefinition } from '../../src/domain/policy-stands.ts';
import { policyWith } from './pictures.ts';

const AT = '2030-01-01T11:00:00Z';
const OURS = 'latchkey.dev/policy';
const OTHER = 'example.org/other';
const policy = (finalizers?: readonly string[], deletionTimestamp?: string) =>
  policyWith({}, {}, { ...(finalizers && { finalizers }), ...(deletionTimestamp && { deletionTimestamp }) });

test.each([
  ['one that nobody deletes stands', undefined, undefined, true],
  ['one that is being deleted stands while our finalizer is on it', [OTHER, OURS], AT, true],
  ['one that only others keep does not', [OTHER], AT, false],
])('%s', (_, finalizers, deletedAt, stands) => {
  expect(policyStands(policy(finalizers, deletedAt))).toBe(stands);
});

test.each([
  ['a second before it was not', '2030-01-01T11:00:01Z', false],
  ['in the same second may have, and is asked about', AT, true],
  ['a second after it did', '2030-01-01T10:59:59Z', true],
  ['while the definition stands was not', undefined, false],
])('a policy that was deleted %s go with its definition', (_, deletedAt, went) => {
  const definition = { createdAt: '2029-01-01T00:00:00Z', deletedAt };
  expect(policyWentWithDefinition(policy([OURS], AT), definition)).toBe(went);
});

test('a policy that is being deleted went with a definition that is gone, and one that stands with none', () => {
  expect(policyWentWithDefinition(policy([OURS], AT), undefined)).toBe(true);
  expect(policyWentWithDefinition(policy([OURS]), undefined)).toBe(false);
});

describe('our finalizer', () => {
  test.each([
    ['is put on', policy(), false, [OURS]],
    ['is put beside others', policy([OTHER]), false, [OTHER, OURS]],
    ['stays', policy([OURS]), false, undefined],
    ['stays while nobody has decided', policy([OTHER, OURS], AT), false, undefined],
    ['is taken off, and no other', policy([OTHER, OURS], AT), true, [OTHER]],
    ['is not put on what is being deleted, which Kubernetes refuses', policy([OTHER], AT), false, undefined],
    ['is not taken off what stands', policy([OURS]), true, undefined],
  ])('%s', (_, its, mayGo, finalizers) => {
    expect(policyFinalizers(its, mayGo)).toEqual(finalizers);
  });
});
