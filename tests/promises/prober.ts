// Reads a user's Secret all the time, as a script would, and keeps what every token that it saw had left to live.
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import type { Latchkey } from '../support/latchkey.ts';

const PAUSE_MS = 50;

export interface Prober {
  /** How long each token lived on at each read, in seconds; a read without a token is undefined. */
  readonly reads: readonly (number | undefined)[];
  /** How many different tokens there were. */
  tokens(): number;
  stop(): Promise<void>;
}

export function probe({ token }: Latchkey, namespace: string): Prober {
  const reads: (number | undefined)[] = [];
  const seen = new Set<string>();
  const stop = new AbortController();
  const read = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const found = await token(namespace);
      // After the read: it was not younger when it was read.
      reads.push(found === undefined ? undefined : (decodeJwt(found).exp ?? 0) - Date.now() / 1_000);
      if (found !== undefined) seen.add(found);
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
