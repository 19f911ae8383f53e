// A scenario counts as held only where the prober could see: a busy machine gets one more try, and no pass as a gift.
import { expect, test } from '@jest/globals';
import type { Field, Verdict } from './harness/field.ts';
import { hold } from './harness/hold.ts';

const REPORT: Verdict['report'] = {
  lists: 10,
  reads: 80,
  versions: 20,
  tokens: 5,
  slowShare: 0,
  longestGapMs: 500,
  leastRemainingMs: 90_000,
  violations: [],
};
const SEEN: Verdict = { report: REPORT, provesNothing: undefined };
const BLIND: Verdict = { report: REPORT, provesNothing: 'This run proves nothing.' };

/** @returns what was said, with how often the scenario ran */
async function run(...verdicts: (Verdict | Error)[]): Promise<{ runs: number; said: string; error: string }> {
  let runs = 0;
  const said: string[] = [];
  const field = {
    async verdict() {
      const next = verdicts.shift();
      if (next === undefined) throw new Error('nobody should have asked again');
      if (next instanceof Error) throw next;
      return next;
    },
  } as unknown as Field;
  const scenario = async () => {
    runs += 1;
  };
  const error = await hold(field, scenario, (line) => said.push(line)).then(
    () => '',
    (thrown: Error) => thrown.message,
  );
  return { runs, said: said.join('\n'), error };
}

test('where the prober has seen enough, once is enough, and what it has seen is said', async () => {
  const { runs, said, error } = await run(SEEN);
  expect({ runs, error }).toEqual({ runs: 1, error: '' });
  expect(said).toContain('10 lists, 80 single reads');
  expect(said).not.toContain('AGAIN');
});

test('where it has not, the scenario runs once more, and that is said', async () => {
  const { runs, said, error } = await run(BLIND, SEEN);
  expect({ runs, error }).toEqual({ runs: 2, error: '' });
  expect(said).toContain('AGAIN: This run proves nothing.');
});

test('where it has not twice, that is a failure', async () => {
  const { runs, error } = await run(BLIND, BLIND);
  expect(runs).toBe(2);
  expect(error).toContain('This run proves nothing. So it was 2 times in a row.');
});

test('a promise that was broken gets no second try', async () => {
  const { runs, error } = await run(new Error('1 times a promise was broken'));
  expect({ runs, error }).toEqual({ runs: 1, error: '1 times a promise was broken' });
});
