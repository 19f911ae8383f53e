// Catches the error of a directory, and sees to it that it gives no secret away.
import { inspect } from 'node:util';
import { expect } from '@jest/globals';
import { DirectoryError } from '../../../src/directory/directory.ts';

/** The DirectoryError that `attempt` fails with; fails itself for anything else, or where the error holds a secret. */
export async function directoryErrorOf(
  attempt: Promise<unknown>,
  secrets: readonly string[] = [],
): Promise<DirectoryError> {
  const outcome: unknown = await attempt.then(
    (value) => value,
    (error: unknown) => error,
  );
  if (!(outcome instanceof DirectoryError)) {
    throw new Error(`expected a DirectoryError, got ${inspect(outcome)}`);
  }
  const everything = inspect(outcome, { depth: 10 });
  for (const secret of secrets) expect(everything).not.toContain(secret);
  return outcome;
}
