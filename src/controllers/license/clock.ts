// The clock that a licence runs out by: setting one of the clocks of the cluster does not move it.
import type { LicenseReading } from '../../domain/license.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { isInStep, isSkewed } from '../../kubernetes/clock-skew.ts';

/** The time; while no two clocks have agreed it may be later than that. */
export type LicenseClock = () => Required<Pick<LicenseReading, 'at' | 'mayBeLater'>>;

interface Reading {
  readonly timeMs: number;
  readonly monotonicMs: number;
}

/**
 * Runs by the monotonic clock, and is set, only ever forward, by the answers of the API server that agree with the clock
 * here: to the time here, as far as the grain of a second allows it. While the two disagree one of them is wrong, and
 * none is believed: a wrong clock can neither end everybody's session nor keep one alive, and nothing is minted then.
 * Nor is an answer that took so long that it cannot tell: a clock may have been set while it was under way. A process
 * that has never seen them agree takes the earliest time that may be: an end that came too early could not be taken back.
 * For when both were set back while no process ran there is the latest time in the policy's status (src/domain/license.ts).
 */
export function licenseClock(client: Pick<KubernetesClient, 'onSkew'>): LicenseClock {
  let last: Reading | undefined;
  let mayBeLater = true;
  const read = (): number | undefined => last && last.timeMs + performance.now() - last.monotonicMs;
  client.onSkew((range, received) => {
    const { fromMs, toMs } = range;
    const agree = isInStep(range);
    if (!agree && last) return;
    if (agree) mayBeLater = false;
    const mayBeAheadMs = isSkewed(range) ? fromMs : toMs;
    const aheadMs = agree ? Math.min(Math.max(fromMs, 0), toMs) : Math.max(mayBeAheadMs, 0);
    last = { timeMs: Math.max(received.getTime() - aheadMs, read() ?? 0), monotonicMs: performance.now() };
  });
  // Before the first answer of the API server there is nothing to decide about either.
  return () => ({ at: new Date(read() ?? Date.now()), mayBeLater });
}
