// The user filter: what it accepts, and that no username can leave its place in it.
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { AndFilter, EqualityFilter, FilterParser } from 'ldapts';
import { userFilter } from '../../../src/directory/ldap/user-filter.ts';

const usernames = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 64 }),
  fc.string({
    unit: fc.constantFrom('*', '(', ')', '\\', '\0', '&', '|', '!', '=', '{', '}', '$', 'a', '2'),
  }),
);

function byMail(attribute: string): string[] {
  return attribute === 'mail' ? ['x', 'Ada@Example.org'] : [];
}

describe('the user filter', () => {
  test.each([
    ['*', String.raw`(uid=\2a)`],
    ['a)(uid=*', String.raw`(uid=a\29\28uid=\2a)`],
    [String.raw`a\2a`, String.raw`(uid=a\5c2a)`],
    ['a\0b', String.raw`(uid=a\00b)`],
    ['$&{username}', '(uid=$&{username})'],
    ['ádá', '(uid=ádá)'],
  ])('escapes %j', (username, expected) => {
    expect(userFilter('(uid={username})').for(username)).toBe(expected);
  });

  test('compares with exactly the username, whatever that is', () => {
    fc.assert(
      fc.property(usernames, (username) => {
        const filter = FilterParser.parseString(
          userFilter('(&(objectClass=person)(uid={username}))').for(username),
        );
        if (!(filter instanceof AndFilter)) throw new Error(`became ${filter.constructor.name}`);
        expect(filter.filters).toEqual([
          new EqualityFilter({ attribute: 'objectClass', value: 'person' }),
          new EqualityFilter({ attribute: 'uid', value: username }),
        ]);
      }),
      { numRuns: 1000 },
    );
  });

  test('names the attributes that hold the username', () => {
    const filter = userFilter(
      '(&(!(ou=gone))(|(uid={username})(mail={username}@example.org)(UID={username})))',
    );
    expect(filter.attributes).toEqual(['uid', 'mail', 'UID']);
  });

  test('matches an entry that bears the username without regard to case and width, in any of its places', () => {
    const filter = userFilter('(|(uid={username})(mail={username}@example.org))');
    expect(filter.matches('ADA', byMail)).toBe(true);
    expect(filter.matches('ａｄａ', byMail)).toBe(true);
    expect(filter.matches('grace', byMail)).toBe(false);
  });

  test.each(['ada ', ' ada', 'a\u200bda', 'ádá'])(
    'does not match %j with an entry of ada, though a directory may',
    (username) => {
      expect(userFilter('(uid={username})').matches(username, () => ['ada'])).toBe(false);
    },
  );

  test.each([
    ['no placeholder', '(uid=ada)'],
    ['nothing at all', ''],
    ['a placeholder alone', '{username}'],
    ['no parentheses', 'uid={username}'],
    ['one closed too few', '(&(objectClass=person)(uid={username})'],
    ['one closed too many', '(uid={username}))'],
    ['two filters', '(uid={username})(mail={username})'],
    ['the placeholder as an attribute', '({username}=ada)'],
    ['the placeholder as an attribute, and as a value', '(|({username}=ada)(uid={username}))'],
    ['the placeholder behind an escape', String.raw`(uid=\{username})`],
    ['the placeholder inside an escape', String.raw`(uid=\4{username})`],
    ['a wildcard beside the placeholder', '(uid={username}*)'],
    ['an approximate comparison', '(uid~={username})'],
    ['an ordering comparison', '(uid>={username})'],
    ['a matching rule', '(uid:caseExactMatch:={username})'],
    ['the placeholder as a matching rule', '(uid:{username}:=ada)'],
    ['a filter that is no filter', '(&(uid={username})junk)'],
    ['a byte beyond ASCII in hexadecimal', String.raw`(&(ou=\c3\a9)(uid={username}))`],
  ])('is refused with %s, and the setting is named', (_name, template) => {
    expect(() => userFilter(template)).toThrow(/The setting userFilter is wrong/);
  });
});
