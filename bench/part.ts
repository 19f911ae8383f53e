// What a part of the bench is given, and what it gives back.
import type { Arena } from './arena.ts';
import type { Scale } from './scale.ts';
import type { Table } from './table.ts';

export interface Given {
  readonly arena: Arena;
  readonly scale: Scale;
  /** Tells the person at the terminal how it goes. */
  readonly say: (line: string) => void;
  /** More flags of Node for an operator that is measured, such as --cpu-prof. */
  readonly nodeFlags: readonly string[];
}

export interface Result {
  readonly tables: readonly Table[];
  /** Every measurement, for results.json. */
  readonly data: object;
}

export interface Part {
  readonly name: string;
  run(given: Given): Promise<Result>;
}
