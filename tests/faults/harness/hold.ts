// Runs a scenario until the prober has seen enough of it to say that the promises held.
import type { Field } from './field.ts';

/** A machine that was busy for a moment gets a second try; one that is busy for longer shows nothing at all. */
const TRIES = 2;

export type Scenario = (field: Field) => Promise<void>;

export interface Said {
  /** For whoever reads the output of the run. */
  (line: string): void;
}

/**
 * @throws what the scenario throws, and where a promise was broken: at once, whatever the machine did.
 * @throws where the machine was too slow each time
 */
export async function hold(
  field: Field,
  scenario: Scenario,
  say: Said = (line) => void process.stderr.write(`${line}\n`),
): Promise<void> {
  for (let tries = 1; ; tries++) {
    await scenario(field);
    const { report, provesNothing } = await field.verdict();
    const { lists, reads, versions, tokens, longestGapMs, slowShare, leastRemainingMs } = report;
    say(
      `  the prober: ${lists} lists, ${reads} single reads, ${versions} versions by watch, ${tokens} tokens, ` +
        `the least with ${(leastRemainingMs / 1_000).toFixed(1)} s to live; blind for ${longestGapMs} ms at most, ` +
        `${Math.round(slowShare * 100)} % of the time too slow`,
    );
    if (provesNothing === undefined) return;
    if (tries === TRIES) throw new Error(`${provesNothing} So it was ${TRIES} times in a row.`);
    say(`  AGAIN: ${provesNothing}`);
  }
}
