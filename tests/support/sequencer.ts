// Which suites start first: the longest, so that no worker is left alone with one of them at the end.
import { readFileSync } from 'node:fs';
import exported from '@jest/test-sequencer';
import type { Test } from '@jest/test-result';

// Its types are those of its CommonJS half.
const TestSequencer = exported as unknown as typeof exported.default;

/** A cluster with an operator in it, the image or the bench: half a minute to three. */
const LONG = /startLatchkey\(|carryOut\(REPOSITORY|bench\/main/;

export default class LongestFirst extends TestSequencer {
  /** In a clean clone Jest knows no times and goes by the sizes of the files, which say nothing of what they wait for. */
  override sort(tests: readonly Test[]): Test[] {
    const isLong = new Map(tests.map((test) => [test, LONG.test(readFileSync(test.path, 'utf8'))]));
    const bySize = super.sort([...tests]) as Test[];
    return bySize.toSorted((one, other) => Number(isLong.get(other)) - Number(isLong.get(one)));
  }
}
