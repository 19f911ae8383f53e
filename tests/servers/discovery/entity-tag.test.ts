// The comparison of RFC 9110, section 13.1.2, by example.
import { expect, it } from '@jest/globals';
import { matches } from '../../../src/servers/discovery/entity-tag.ts';

it.each([
  [undefined, false],
  ['', false],
  ['"a"', true],
  ['W/"a"', true],
  ['*', true],
  ['"b", "a"', true],
  ['"b" ,W/"a" ', true],
  ['"b"', false],
  ['a', false],
  ['"A"', false],
  ['"ab"', false],
])('If-None-Match: %s matches "a": %s', (header, expected) => {
  expect(matches(header, '"a"')).toBe(expected);
});
