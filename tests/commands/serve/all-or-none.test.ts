import { expect, test } from '@jest/globals';
import { allOrNone } from '../../../src/commands/serve/all-or-none.ts';

/** A loop that takes its time to end after the signal, as requests under way do. */
const slow = (ended: string[], name: string) => async (signal: AbortSignal) => {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  ended.push(name);
};

test('loops end with the term, and it waits for the slowest', async () => {
  const term = new AbortController();
  const ended: string[] = [];
  const running = allOrNone(term.signal, [slow(ended, 'a'), slow(ended, 'b')]);
  term.abort();
  await running;
  expect(ended).toEqual(['a', 'b']);
});

test('where one fails the others are ended first, and then it says why', async () => {
  const ended: string[] = [];
  const fails = () => Promise.reject(new Error('no'));
  const running = allOrNone(new AbortController().signal, [slow(ended, 'a'), fails]);
  await expect(running).rejects.toThrow('no');
  expect(ended).toEqual(['a']);
});
