import { expect, test } from '@jest/globals';
import { confirmationOf, confirmedIds } from '../../src/domain/confirmation.ts';
import { policyWith } from './pictures.ts';

test.each<[string | undefined, readonly string[]]>([
  [undefined, []],
  ['', []],
  ['abc', ['abc']],
  [' abc, def ,,', ['abc', 'def']],
])('the annotation %j confirms %j', (annotation, ids) => {
  const metadataOf = annotation === undefined ? {} : { annotations: { 'latchkey.dev/confirm': annotation } };
  expect([...confirmedIds(policyWith({}, {}, metadataOf))]).toEqual(ids);
});

test('a confirmation keeps those of other holds that are there, and drops those that are over', () => {
  const hold = (id: string) => ({
    id,
    cause: 'Deleting' as const,
    affected: 12,
    of: 30,
    since: '2030-01-01T12:00:00Z',
    confirmed: false,
  });
  const annotations = { 'latchkey.dev/confirm': 'other,over' };
  const policy = policyWith({}, { holds: [hold('other'), hold('new')] }, { annotations });
  expect(confirmationOf(policy, 'new')).toBe('other,new');
  expect(confirmationOf({ ...policy, metadata: { ...policy.metadata, annotations: {} } }, 'new')).toBe('new');
});
