// What is counted of the watch of the directory. Every label is one of a few words of ours: see src/directory/watch/tally.ts.
import { Counter, Histogram, type Registry } from 'prom-client';

export interface DirectoryCounters {
  /** A question ended; `outcome` is Answered, or what was wrong. */
  polled(kind: string, outcome: string, tookMs: number): void;
  /** A request was sent. */
  requested(operation: string): void;
  /** A value of the entry of a User could not be used. */
  unusable(reason: string): void;
}

/** From a few users to the longest that a sweep may take. */
const SWEEP_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];

export function directoryCounters(registry: Registry): DirectoryCounters {
  const registers = [registry];
  const polls = new Counter({
    name: 'latchkey_directory_polls_total',
    help: 'Questions to the directory: connect, changes since the last, or sweep for everybody; outcome is Answered, or what was wrong.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const requests = new Counter({
    name: 'latchkey_directory_requests_total',
    help: 'LDAP requests of the watch of the directory: bind, root, policy, group, or page for a page of entries.',
    labelNames: ['operation'],
    registers,
  });
  const sweepSeconds = new Histogram({
    name: 'latchkey_directory_sweep_duration_seconds',
    help: 'How long it took to ask the directory about everybody, where it answered to the end.',
    buckets: SWEEP_SECONDS,
    registers,
  });
  const refused = new Counter({
    name: 'latchkey_directory_values_refused_total',
    help: 'Values of the entries of Users that could not be used, each time that they were read, by what is wrong with them.',
    labelNames: ['reason'],
    registers,
  });
  return {
    polled(kind, outcome, tookMs) {
      polls.inc({ kind, outcome });
      if (kind === 'sweep' && outcome === 'Answered') sweepSeconds.observe(tookMs / 1_000);
    },
    requested: (operation) => requests.inc({ operation }),
    unusable: (reason) => refused.inc({ reason }),
  };
}
