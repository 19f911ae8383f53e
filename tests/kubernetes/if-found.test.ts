// Nothing there is an answer, and every other refusal is none.
import { expect, test } from '@jest/globals';
import { ApiError, ApiUnreachableError } from '../../src/kubernetes/api-error.ts';
import { ifFound } from '../../src/kubernetes/if-found.ts';

test('what is there is given', async () => {
  expect(await ifFound(Promise.resolve('ada'))).toBe('ada');
});

test('what is not there is undefined', async () => {
  expect(await ifFound(Promise.reject(new ApiError('GET /ada', 404, {})))).toBeUndefined();
});

test.each([
  new ApiError('GET /ada', 403, {}),
  new ApiError('GET /ada', 410, {}),
  new ApiUnreachableError('ApiUnreachable', 'no answer'),
  new Error('a bug'),
])('%s is thrown', async (refusal) => {
  await expect(ifFound(Promise.reject(refusal))).rejects.toBe(refusal);
});
