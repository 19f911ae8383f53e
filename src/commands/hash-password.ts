// `latchkey accounts hash`: makes the line of a local account from a password on standard input.
import { text } from 'node:stream/consumers';
import { hashPassword } from '../directory/local/password-hash.ts';
import { LatchkeyError } from '../errors.ts';

export class PasswordInputError extends LatchkeyError<'PasswordMissing'> {}

/**
 * Reads the password from `input`, never from a flag: other users of the machine see those.
 * @returns `username:hash`, to be put into the Secret under the key `accounts`.
 */
export async function accountLine(username: string, input: NodeJS.ReadableStream): Promise<string> {
  const password = (await text(input)).replace(/\r?\n$/, '');
  if (password === '')
    throw new PasswordInputError(
      'PasswordMissing',
      'Give the password on standard input, for example: read -rs P; printf %s "$P" | latchkey accounts hash --username ada',
    );
  return `${username}:${await hashPassword(password)}`;
}
