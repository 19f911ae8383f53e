// What is made of one answer after the other: nothing is minted from the first that shows a skew to the first that shows none.
import { expect, test } from '@jest/globals';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { SkewRange } from '../../src/kubernetes/clock-skew.ts';
import { watchClock } from '../../src/kubernetes/clock-watch.ts';

const IN_STEP = { fromMs: -1_000, toMs: 10 };
const AHEAD = { fromMs: 8_000, toMs: 9_100 };
const FURTHER_AHEAD = { fromMs: 30_000, toMs: 31_000 };
/** The same clock as AHEAD, by an answer that took its time. */
const SLOW = { fromMs: 1_000, toMs: 9_100 };

test('the clock is watched', () => {
  let tell: (range: SkewRange) => void = () => undefined;
  const client: Pick<KubernetesClient, 'onSkew'> = {
    onSkew(listener) {
      tell = listener;
    },
  };
  const clock = watchClock(client as KubernetesClient);
  const changes: (SkewRange | undefined)[] = [];
  clock.onChange((skewed) => changes.push(skewed));

  for (const [range, skewed] of [
    [IN_STEP, undefined],
    [SLOW, undefined],
    [AHEAD, AHEAD],
    [FURTHER_AHEAD, FURTHER_AHEAD],
    // A slow answer cannot tell, so it must not end the alarm.
    [SLOW, FURTHER_AHEAD],
    [IN_STEP, undefined],
  ] as const) {
    tell(range);
    expect(clock.skewed()).toBe(skewed);
  }
  expect(changes).toEqual([AHEAD, undefined]);
});
