// Waits for a condition with a deadline, in place of a sleep.
import { setTimeout as delay } from 'node:timers/promises';
import { DevError } from './errors.ts';

const POLL_MS = 50;

/**
 * Asks `check` again and again until it answers something other than undefined or false, and returns that.
 * An error that `check` throws ends the wait at once.
 * @param what completes the sentence "waited 30 s for ..."
 * @throws DevError `TimedOut`
 */
export async function waitUntil<T>(
  what: string,
  timeoutMs: number,
  check: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const result = await check();
    if (result !== undefined && result !== false) return result;
    if (performance.now() >= deadline) {
      throw new DevError('TimedOut', `waited ${timeoutMs / 1000} s for ${what}, in vain`);
    }
    await delay(POLL_MS);
  }
}
