// Sharing texts changes where they lie in memory, and nothing that anybody can read.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { textSharing } from '../../src/observation/share-texts.ts';

test('an object says the same afterwards', () => {
  const share = textSharing();
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(JSON.stringify(share(JSON.parse(text)))).toBe(text);
    }),
  );
});

test('more texts than it keeps do it no harm', () => {
  const share = textSharing();
  for (let index = 0; index < 10_000; index++) expect(share([`text ${index}`])).toEqual([`text ${index}`]);
});

test('a name that JSON may hold and JavaScript knows does not reach a prototype', () => {
  const object = JSON.parse('{"__proto__": {"admin": "yes"}, "a": "b"}');
  textSharing()(object);
  expect(({} as { admin?: string }).admin).toBeUndefined();
  expect(JSON.stringify(object)).toBe('{"__proto__":{"admin":"yes"},"a":"b"}');
});
