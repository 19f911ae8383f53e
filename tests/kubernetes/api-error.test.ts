// What a refusal by the API server, or by something in front of it, says to a person.
import { describe, expect, test } from '@jest/globals';
import { ApiError, ApiUnreachableError, hasStatus, parseStatus } from '../../src/kubernetes/api-error.ts';

describe('the body of a refusal', () => {
  test.each([
    [
      '{"kind":"Status","status":"Failure","message":"users \\"ada\\" not found","reason":"NotFound","code":404}',
      { reason: 'NotFound', message: 'users "ada" not found' },
    ],
    ['{"kind":"Status","message":"no reason"}', { message: 'no reason' }],
    ['{"message":7,"reason":{"a":1}}', {}],
    ['<html>502 Bad Gateway</html>\n', { message: '<html>502 Bad Gateway</html>' }],
    ['', { message: '' }],
    ['null', { message: 'null' }],
    ['"text"', { message: '"text"' }],
    ['[]', {}],
  ])('%j', (text, status) => expect(parseStatus(text)).toEqual(status));
});

test('the error names the request, the status, the reason and the message, as far as there are any', () => {
  const request = 'GET /api/v1/namespaces/ada';
  expect(new ApiError(request, 404, { reason: 'NotFound', message: 'not there' }).message).toBe(
    `${request}: 404 NotFound not there`,
  );
  expect(new ApiError(request, 502, { message: '<html>' }).message).toBe(`${request}: 502 <html>`);
  expect(new ApiError(request, 503, {}).message).toBe(`${request}: 503`);
});

test('no more of a message is kept than a person reads', () => {
  const { message } = new ApiError('PUT /x', 422, { reason: 'Invalid', message: 'x'.repeat(5_000) });
  expect(message).toHaveLength('PUT /x: 422 Invalid '.length + 501);
});

test('an error has a status that can be asked for, unless there was no answer', () => {
  const conflict = new ApiError('PUT /x', 409, {});
  expect([hasStatus(conflict, 404, 409), hasStatus(conflict, 404)]).toEqual([true, false]);
  expect(hasStatus(new ApiUnreachableError('ApiUnreachable', 'no answer'), 0)).toBe(false);
  expect(hasStatus(new Error('409'), 409)).toBe(false);
});
