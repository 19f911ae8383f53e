import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digest, fraction } from '../../src/domain/digest.ts';

test('a fraction is at least 0, less than 1, and the same every time', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const share = fraction(text);
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThan(1);
      expect(fraction(text)).toBe(share);
    }),
  );
});

test('names that differ in one character are spread over the whole range', () => {
  const tenths = Array<number>(10).fill(0);
  for (let n = 0; n < 10_000; n++) {
    const tenth = Math.floor(fraction(`user-${n}`) * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  // A fair coin would give 1000 each, give or take 30.
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test('a digest is 16 hexadecimal digits', () => {
  fc.assert(fc.property(fc.string(), (text) => /^[0-9a-f]{16}$/.test(digest(text))));
});

test('a hundred thousand texts that differ little have digests that all differ', () => {
  const seen = new Set<string>();
  for (let n = 0; n < 100_000; n++) seen.add(digest(`{"groups":["g${n}"]}`));
  expect(seen.size).toBe(100_000);
});
