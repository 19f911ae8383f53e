// The operators that this process has started and not ended, for whoever has to say why something went wrong.
export interface RunningOperator {
  /** Tells one from another. */
  readonly portal: string;
  /** What its log ends with. */
  lastLines(): string;
}

export const running = new Set<RunningOperator>();
