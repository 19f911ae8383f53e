// What the watch of local accounts keeps of them: who is there, and who is locked; of passwords nothing.
import { DirectoryError } from '../directory.ts';
import { parseAccounts } from './accounts.ts';

/** By folded username: whether the account is locked. */
export type Roll = ReadonlyMap<string, boolean>;

/** @returns the roll, or why the text is none: a list of nobody is rather an accident than meant */
export function readRoll(text: string | undefined): Roll | DirectoryError {
  if (text === undefined)
    return new DirectoryError(
      'DirectoryUnreachable',
      'The Secret of the local accounts is not there, or has no key accounts: make it.',
      { fault: 'NotThere' },
    );
  try {
    const accounts = parseAccounts(text);
    if (accounts.size > 0) return new Map([...accounts].map(([username, { locked }]) => [username, locked]));
  } catch (error) {
    if (error instanceof DirectoryError) return error;
    throw error;
  }
  return new DirectoryError(
    'DirectoryMisconfigured',
    'The local accounts are empty: where nobody is to have a token, set spec.enabled of the TokenPolicy to false.',
    { fault: 'NobodyFound' },
  );
}
