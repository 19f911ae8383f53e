// Waits for a condition with a deadline, in place of a sleep.
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { DevError } from './errors.ts';

const POLL_MS = 50;
/** A look that began in time may take this long, for the machine may be busy; one that takes longer will never end. */
const LOOK_MS = 30_000;
const SEEN_CHARACTERS = 2_000;

/** Says what a look has seen: where the wait is in vain, the error quotes the last of it. Nothing secret, then. */
export type See = (seen: unknown) => void;

/**
 * Asks `check` again and again until it answers something other than undefined or false, and returns that.
 * An error that `check` throws ends the wait at once.
 * @param what completes the sentence "waited 30 s for ..."
 * @throws DevError `TimedOut`, also where `check` never answers
 */
export async function waitUntil<T>(
  what: string,
  timeoutMs: number,
  check: (see: See) => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let seen: unknown;
  const inVain = (why: string) => {
    const last = seen === undefined ? '' : `; last seen: ${quoted(seen)}`;
    return new DevError('TimedOut', `waited ${timeoutMs / 1000} s for ${what}, in vain${why}${last}`);
  };
  for (;;) {
    // The last look begins when the time is up: one that began before may have been slow, and seen what is no more.
    const isLast = performance.now() >= deadline;
    const result = await withLimit(
      check((now) => {
        seen = now;
      }),
      Math.max(deadline - performance.now(), LOOK_MS),
      (limitMs) => inVain(`: the last look has not ended in ${Math.round(limitMs / 1000)} s`),
    );
    if (result !== undefined && result !== false) return result;
    if (isLast) throw inVain('');
    await delay(POLL_MS);
  }
}

async function withLimit<T>(
  looking: Promise<T> | T,
  limitMs: number,
  late: (limitMs: number) => Error,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late(limitMs)), limitMs);
  try {
    return await Promise.race([looking, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function quoted(seen: unknown): string {
  const text = typeof seen === 'string' ? seen : inspect(seen, { depth: 6, breakLength: 120 });
  return text.length > SEEN_CHARACTERS ? `${text.slice(0, SEEN_CHARACTERS)}…` : text;
}
