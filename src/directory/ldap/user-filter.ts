// The filter that finds a user's entry, with a place for the username.
import { EqualityFilter, Filter, FilterParser } from 'ldapts';
import { foldUsername } from '../../domain/effective.ts';
import { DirectoryError } from '../directory.ts';

export const USERNAME_PLACEHOLDER = '{username}';
export const DEFAULT_USER_FILTER = `(uid=${USERNAME_PLACEHOLDER})`;

// An item of RFC 4515, section 3: values hold parentheses only in escaped form.
const ITEM = /\([^()]*\)/g;
// Escapes of single bytes beyond ASCII: ldapts reads each as a character of its own.
const ESCAPED_BEYOND_ASCII = /\\[89a-f][0-9a-f]/i;

export interface UserFilter {
  /** The attributes that the username is compared with; ask for them in the search. */
  readonly attributes: readonly string[];
  /** The filter for one user, as text of RFC 4515. */
  for(username: string): string;
  /**
   * Whether an entry bears the username as Latchkey compares usernames. Directories are laxer (Active Directory
   * ignores accents, others zero-width characters and spaces): without this, one account would answer to many
   * spellings, and each would have attempts of its own.
   */
  matches(username: string, valuesOf: (attribute: string) => readonly string[]): boolean;
  /** The filter for everybody whom `for` could find. */
  readonly everybody: string;
  /** Every username, folded, that an entry `matches`. */
  usernamesOf(valuesOf: (attribute: string) => readonly string[]): string[];
}

/**
 * Reads the setting `userFilter`, for example `(&(objectClass=person)(uid={username}))`.
 * @throws {DirectoryError} `DirectoryMisconfigured`, naming the setting
 */
export function userFilter(template: string): UserFilter {
  if (!template.includes(USERNAME_PLACEHOLDER)) {
    throw misconfigured(`it must contain ${USERNAME_PLACEHOLDER}`);
  }
  const items = (template.match(ITEM) ?? []).filter((item) => item.includes(USERNAME_PLACEHOLDER));
  const places = items.map((item) => comparison(item, USERNAME_PLACEHOLDER));
  if (items.join('').split(USERNAME_PLACEHOLDER).length !== template.split(USERNAME_PLACEHOLDER).length) {
    throw misconfigured(`${USERNAME_PLACEHOLDER} may stand only in a value`);
  }
  parsed(fill(template, 'ada'), misconfigured);

  const around = places.map(({ attribute, value }) => {
    const [before = '', after = '', ...more] = value.split(USERNAME_PLACEHOLDER);
    if (more.length > 0) throw misconfigured(`${USERNAME_PLACEHOLDER} may stand only once in a comparison`);
    return { attribute, before, after };
  });

  return {
    attributes: [...new Set(places.map(({ attribute }) => attribute))],
    everybody: items.reduce(
      (filter, item, index) => filter.replace(item, () => `(${places[index]?.attribute}=*)`),
      template,
    ),
    usernamesOf: (valuesOf) => [
      ...new Set(
        around.flatMap(({ attribute, before, after }) =>
          valuesOf(attribute).flatMap((value) => between(foldUsername(value), before, after)),
        ),
      ),
    ],
    for: (username) => fill(template, username),
    matches: (username, valuesOf) =>
      items.some((item) => {
        const { attribute, value } = comparison(item, username);
        return valuesOf(attribute).some((found) => foldUsername(found) === foldUsername(value));
      }),
  };
}

// Folding both ends apart may give another text than folding the whole, where characters combine across the seam.
function between(folded: string, before: string, after: string): string[] {
  const [start, end] = [foldUsername(before), foldUsername(after)];
  if (folded.length <= start.length + end.length || !folded.startsWith(start) || !folded.endsWith(end))
    return [];
  const username = folded.slice(start.length, folded.length - end.length);
  return foldUsername(before + username + after) === folded ? [username] : [];
}

function fill(template: string, username: string): string {
  return template.replaceAll(USERNAME_PLACEHOLDER, () => Filter.escape(username));
}

// Anything but a plain comparison would let a username stand for others: a wildcard, an order, a likeness.
function comparison(item: string, username: string): { attribute: string; value: string } {
  const filter = parsed(fill(item, username), misconfigured);
  if (!(filter instanceof EqualityFilter) || typeof filter.value !== 'string') {
    throw misconfigured(
      `${USERNAME_PLACEHOLDER} may stand only in a comparison with =, without *, as in ${DEFAULT_USER_FILTER}`,
    );
  }
  return { attribute: filter.attribute, value: filter.value };
}

/**
 * Checks the setting `inactiveFilter`, for example `(employeeType=left)`.
 * @throws {DirectoryError} `DirectoryMisconfigured`, naming the setting
 */
export function inactiveFilter(filter: string): string {
  const wrong = (fault: string): DirectoryError =>
    new DirectoryError(
      'DirectoryMisconfigured',
      `The setting inactiveFilter is wrong: ${fault}. For example (employeeType=left).`,
      { fault: 'SettingWrong' },
    );
  if (filter.includes(USERNAME_PLACEHOLDER))
    throw wrong(`it is about all users, so ${USERNAME_PLACEHOLDER} has no place in it`);
  parsed(filter, wrong);
  return filter;
}

function parsed(filter: string, wrong: (fault: string) => DirectoryError): Filter {
  if (ESCAPED_BEYOND_ASCII.test(filter)) {
    throw wrong('write characters beyond ASCII as they are, not as \\ and hexadecimal digits');
  }
  try {
    // ldapts closes what is left open.
    if (filter.split('(').length === filter.split(')').length) return FilterParser.parseString(filter);
  } catch {
    // Said below; the parser's own words repeat the filter, which may hold a username.
  }
  throw wrong('it is not an LDAP filter (RFC 4515); check its parentheses');
}

function misconfigured(fault: string): DirectoryError {
  return new DirectoryError(
    'DirectoryMisconfigured',
    `The setting userFilter is wrong: ${fault}. For example ${DEFAULT_USER_FILTER}.`,
    { fault: 'SettingWrong' },
  );
}
