// Reads a user's Secret all the time, as a script would, and keeps what every token that it saw had left to live.
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import type { Latchkey } from '../support/latchkey.ts';

const PAUSE_MS = 50;

/** How long a token had to live when the API server read it, in seconds: somewhere between the two. */
export interface Read {
  readonly atLeast: number;
  readonly atMost: number;
}

export interface Prober {
  /** A read without a token is undefined. */
  readonly reads: readonly (Read | undefined)[];
  /** How many different tokens there were. */
  tokens(): number;
  stop(): Promise<void>;
}

export function probe({ token }: Latchkey, namespace: string): Prober {
  const reads: (Read | undefined)[] = [];
  const seen = new Set<string>();
  const stop = new AbortController();
  const read = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const askedAt = Date.now() / 1_000;
      const found = await token(namespace);
      const answeredAt = Date.now() / 1_000;
      if (found === undefined) reads.push(undefined);
      else {
        const { exp = 0 } = decodeJwt(found);
        reads.push({ atLeast: exp - answeredAt, atMost: exp - askedAt });
        seen.add(found);
      }
      await delay(PAUSE_MS);
    }
  };
  const done = read();
  return {
    reads,
    tokens: () => seen.size,
    async stop() {
      stop.abort();
      await done;
    },
  };
}
