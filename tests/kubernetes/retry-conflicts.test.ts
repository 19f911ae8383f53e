// Only a conflict is worth another try, and not for ever.
import { expect, test } from '@jest/globals';
import { ApiError } from '../../src/kubernetes/api-error.ts';
import { retryConflicts } from '../../src/kubernetes/retry-conflicts.ts';

function failing(times: number, status: number): { attempt: () => Promise<number>; tries: () => number } {
  let tries = 0;
  return {
    tries: () => tries,
    async attempt() {
      tries += 1;
      if (tries <= times) throw new ApiError('PUT /x', status, {});
      return tries;
    },
  };
}

test.each([
  [0, 409, 1],
  [1, 409, 2],
  [4, 409, 5],
])('after %i conflicts it succeeds', async (times, status, result) => {
  await expect(retryConflicts(failing(times, status).attempt)).resolves.toBe(result);
});

test.each([
  [5, 409, 5],
  [1, 404, 1],
  [1, 500, 1],
])('after %i answers with %i it gives up, with %i tries', async (times, status, tries) => {
  const work = failing(times, status);
  await expect(retryConflicts(work.attempt)).rejects.toMatchObject({ status });
  expect(work.tries()).toBe(tries);
});
