// Sharing texts changes where they lie in memory, and nothing that anybody can read.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shareTexts, textPool } from '../../src/observation/share-texts.ts';

test('an object says the same afterwards', () => {
  const copyOf = textPool(100);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(JSON.stringify(shareTexts(JSON.parse(text), copyOf))).toBe(text);
    }),
  );
});

test('more texts than it keeps do it no harm', () => {
  const copyOf = textPool(10);
  for (let index = 0; index < 100; index++) expect(copyOf(`text ${index}`)).toBe(`text ${index}`);
});

test('a name that JSON may hold and JavaScript knows does not reach a prototype', () => {
  const object = JSON.parse('{"__proto__": {"admin": "yes"}, "a": "b"}');
  shareTexts(object, textPool(10));
  expect(({} as { admin?: string }).admin).toBeUndefined();
  expect(JSON.stringify(object)).toBe('{"__proto__":{"admin":"yes"},"a":"b"}');
});
