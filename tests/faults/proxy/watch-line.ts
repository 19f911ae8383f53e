// Passes the lines of one watch on: late, not at all for a while, cut in half, or as they come.
import { setTimeout as delay } from 'node:timers/promises';

export interface WatchPath {
  /** How much later a line is passed on than it came. */
  lagMs(): number;
  /** Resolves once lines of this watch pass. */
  untilFlowing(): Promise<void>;
  /** @returns false where the watch is over */
  pass(line: string): boolean;
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly line: string;
  readonly at: number;
}

/** Reads ahead while lines wait, as the network does. */
export async function passLines(chunks: AsyncIterable<Uint8Array>, path: WatchPath): Promise<void> {
  const waiting: Waiting[] = [];
  const state = { ended: false };
  let wake: () => void = () => undefined;
  const reading = (async () => {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of chunks) {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) waiting.push({ line: `${part}\n`, at: performance.now() });
        wake();
      }
    } finally {
      state.ended = true;
      wake();
    }
  })();
  try {
    for (;;) {
      const next = waiting.shift();
      if (!next) {
        if (state.ended || path.signal.aborted) break;
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const lateMs = next.at + path.lagMs() - performance.now();
      if (lateMs > 0) await delay(lateMs, undefined, { signal: path.signal });
      await path.untilFlowing();
      if (!path.pass(next.line)) break;
    }
  } finally {
    await reading.catch(() => undefined);
  }
}
