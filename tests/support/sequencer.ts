// Which suites start first: those that wait most, so that the short ones fill the gaps and none is left alone at the end.
import { readFileSync } from 'node:fs';
import exported from '@jest/test-sequencer';
import type { Test } from '@jest/test-result';

// Its types are those of its CommonJS half.
const TestSequencer = exported as unknown as typeof exported.default;

/** A cluster with an operator of its own, or the bench: half a minute to three. */
const LONG = /startLatchkey\(|startSamba|bench\/main/;

export default class LongOnesFirst extends TestSequencer {
  /** A clean clone has no times of earlier runs, and Jest goes by the size of a file, which says nothing here. */
  override sort(tests: readonly Test[]): Test[] {
    const isLong = new Map(tests.map((test) => [test, LONG.test(readFileSync(test.path, 'utf8'))]));
    const sorted = super.sort([...tests]) as Test[];
    return sorted.toSorted((one, other) => Number(isLong.get(other)) - Number(isLong.get(one)));
  }
}
