// The two ways in which a caller may say who it is, and what is neither.
import { expect, test } from '@jest/globals';
import { authorizationHeaders, readAuthorization } from '../../../src/servers/callers/authorization.ts';

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

test.each([
  ['Bearer lkc_abc', { token: 'lkc_abc' }],
  ['bearer  lkc_abc', { token: 'lkc_abc' }],
  [basic('api:lkc_abc'), { name: 'api', token: 'lkc_abc' }],
  [basic('api:lkc_a:c'), { name: 'api', token: 'lkc_a:c' }],
  [basic('a%2Dpi:lkc%5Fabc+'), { name: 'a-pi', token: 'lkc_abc ' }],
  [basic('api:'), { name: 'api', token: '' }],
])('%s is taken', (header, credentials) => {
  expect(readAuthorization([header])).toEqual(credentials);
});

test.each([
  [[]],
  [['']],
  [['Bearer']],
  [['Bearer ']],
  [['Bearer a b']],
  [['Bearer ä']],
  [['Digest username="api"']],
  [['lkc_abc']],
  [['Basic']],
  [['Basic !!!']],
  [[basic('api')]],
  [[basic(':lkc_abc')]],
  [[basic('api:%')]],
  [['Bearer lkc_abc', 'Bearer lkc_def']],
])('%j is not', (headers) => {
  expect(readAuthorization(headers)).toBeUndefined();
});

test('the header is found however it is spelled, as often as it came, and never in a value', () => {
  const raw = [
    'Host',
    'x',
    'AUTHORIZATION',
    'Bearer a',
    'x-note',
    'authorization',
    'authorization',
    'Bearer b',
  ];
  expect(authorizationHeaders(raw)).toEqual(['Bearer a', 'Bearer b']);
  expect(authorizationHeaders(['x-note', 'authorization'])).toEqual([]);
});
