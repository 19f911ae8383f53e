// Which usernames and passwords are worth asking a directory about.

const MAX_USERNAME_LENGTH = 256;
const MAX_PASSWORD_LENGTH = 1024;

/**
 * Whether a directory is to be asked at all. An empty password is the dangerous one: some servers take it for an
 * anonymous bind and say yes (RFC 4513, section 5.1.2).
 */
export function isWorthAsking(username: string, password: string): boolean {
  return isUsername(username) && isPasswordWorthAsking(password);
}

export function isPasswordWorthAsking(password: string): boolean {
  return password !== '' && password.length <= MAX_PASSWORD_LENGTH;
}

/** Whether this can be a username: not empty, not very long, no control character, no half of a surrogate pair. */
export function isUsername(text: string): boolean {
  return text !== '' && text.length <= MAX_USERNAME_LENGTH && text.isWellFormed() && !/\p{Cc}/u.test(text);
}
