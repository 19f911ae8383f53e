// Reads and writes again where somebody else was faster, as client-go's RetryOnConflict does.
import { hasStatus } from './api-error.ts';

const MOST_TRIES = 5;

/** Runs `attempt`, which reads what it writes, until it meets no 409. @throws the last 409 after five tries */
export async function retryConflicts<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= MOST_TRIES || !hasStatus(error, 409)) throw error;
    }
  }
}
