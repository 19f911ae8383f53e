// Reads the username and the password out of the posted form.
import { RequestRefused } from './request-refused.ts';

export const maxUsernameLength = 256;
export const maxPasswordLength = 1024;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Takes a form with exactly one of each field. The username is trimmed, as pasted ones come with spaces; a space in
 * a password may be meant. Either may be empty.
 * @throws {RequestRefused} 400
 */
export function readCredentials(form: unknown): Credentials {
  const fields = typeof form === 'object' && form !== null ? form : {};
  const username = 'username' in fields ? fields.username : undefined;
  const password = 'password' in fields ? fields.password : undefined;
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw new RequestRefused('BadForm', 400, 'The form needs one username and one password.');
  }
  const trimmed = username.trim();
  if (trimmed.length > maxUsernameLength || password.length > maxPasswordLength) {
    throw new RequestRefused('BadForm', 400, 'The username or the password is too long.');
  }
  return { username: trimmed, password };
}
