// `latchkey accounts hash`: makes the line of a local account from a password on standard input.
import { DirectoryError } from '../directory/directory.ts';
import { parseAccounts } from '../directory/local/accounts.ts';
import { hashPassword } from '../directory/local/password-hash.ts';
import { isPasswordWorthAsking } from '../directory/username.ts';
import { foldUsername } from '../domain/effective.ts';
import { LatchkeyError } from '../errors.ts';

/** `PasswordMissing`: nothing came. `PasswordUnusable`, `UsernameUnusable`: nobody could ever sign in with it. */
export class AccountInputError extends LatchkeyError<
  'PasswordMissing' | 'PasswordUnusable' | 'UsernameUnusable'
> {}

/** More than the longest password takes; what goes on and on must not fill the memory. */
const MOST_BYTES = 8 * 1024;

/**
 * Reads the password from `input`, never from a flag: other users of the machine see those.
 * @returns `username:hash`, to be put into the Secret under the key `accounts`
 * @throws {AccountInputError} for what the directory would not take: one line that is wrong keeps everybody out
 */
export async function accountLine(username: string, input: AsyncIterable<Uint8Array>): Promise<string> {
  const password = await readPassword(input);
  if (password === '')
    throw new AccountInputError(
      'PasswordMissing',
      'Give the password on standard input, for example: read -rs P; printf %s "$P" | latchkey accounts hash --username ada',
    );
  if (!isPasswordWorthAsking(password) || /[\r\n]/.test(password)) throw unusablePassword();
  const line = `${username}:${await hashPassword(password)}`;
  if (!isReadAs(username, line))
    throw new AccountInputError(
      'UsernameUnusable',
      "A username has 1 to 256 characters: no ':', no line break, no '#' in front, and no space around it.",
    );
  return line;
}

async function readPassword(input: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of input) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MOST_BYTES) throw unusablePassword();
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
    return text.replace(/\r?\n$/, '');
  } catch {
    throw unusablePassword();
  }
}

function isReadAs(username: string, line: string): boolean {
  try {
    const accounts = parseAccounts(line);
    return accounts.size === 1 && accounts.has(foldUsername(username));
  } catch (error) {
    if (error instanceof DirectoryError) return false;
    throw error;
  }
}

const unusablePassword = () =>
  new AccountInputError(
    'PasswordUnusable',
    'A password is one line of at most 1024 characters, in UTF-8: another one nobody could type in the browser.',
  );
