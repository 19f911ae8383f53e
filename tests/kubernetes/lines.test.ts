// A stream that is cut anywhere has the same lines, and one without a newline does not fill the memory.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lines } from '../../src/kubernetes/lines.ts';

async function* inChunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const cut of [...cuts.map((at) => at % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)) {
    yield bytes.subarray(start, cut);
    start = cut;
  }
}

async function read(text: string, cuts: readonly number[] = [], maxBytes = 1_000): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines(inChunks(Buffer.from(text), cuts), maxBytes)) found.push(line);
  return found;
}

test.each([
  ['a\nb\n', ['a', 'b']],
  ['a\n\n\nb\n', ['a', 'b']],
  ['a\nhalf', ['a']],
  ['half', []],
  ['', []],
  ['\n', []],
  ['a\r\n', ['a\r']],
])('%j is %j', async (text, wanted) => expect(await read(text)).toEqual(wanted));

test('it makes no difference where the stream is cut, be it inside a character', async () => {
  const cuts = fc.array(fc.nat(), { maxLength: 20 });
  const text = fc.string({ unit: fc.constantFrom('a', '\n', 'é', '€', '𝄞', '\u2028'), maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(text, cuts, async (whole, at) => {
      expect(await read(whole, at)).toEqual(whole.split('\n').slice(0, -1).filter(Boolean));
    }),
  );
});

test('a line that is too long is an error, even before its end', async () => {
  expect(await read(`${'a'.repeat(10)}\n`, [], 10)).toEqual(['a'.repeat(10)]);
  await expect(read(`${'a'.repeat(11)}\n`, [], 10)).rejects.toThrow('a line of more than 10 bytes');
  await expect(read('a'.repeat(11), [3, 6, 9], 10)).rejects.toThrow('a line of more than 10 bytes');
});

test('a line of 16 MiB in small chunks costs a pass over it, not one for every chunk', async () => {
  const chunk = Buffer.alloc(16 * 1024, 'a');
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < 1_024; n += 1) yield chunk;
    yield Buffer.from('\n');
  }
  const began = process.cpuUsage();
  for await (const line of lines(endless(), 16 * 1024 * 1024)) expect(line).toHaveLength(16 * 1024 * 1024);
  const { user, system } = process.cpuUsage(began);
  // A few hundredths of a second where it is linear; a few seconds where it is not.
  expect((user + system) / 1_000).toBeLessThan(1_000);
});
