// Lets so many conversations with a directory happen at once, a few more wait, and none take long.
import { DirectoryError } from './directory.ts';

export interface TurnstileLimits {
  /** How many run at once; one that does not heed its signal keeps its place until it ends. */
  readonly atOnce: number;
  /** How many more may wait for a place. */
  readonly waiting: number;
  /** For waiting and running together. */
  readonly deadlineMs: number;
}

export interface Turnstile {
  /**
   * Runs `work` when there is a place for it. Its signal aborts at the deadline and on `close`.
   * @throws {DirectoryError} `DirectoryUnreachable` where there is no place to wait, at the deadline, and on `close`;
   *   and whatever `work` throws
   */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Ends what runs and waits, and lets nobody in any more. */
  close(): Promise<void>;
}

export function turnstile({ atOnce, waiting, deadlineMs }: TurnstileLimits): Turnstile {
  const queue = new Set<() => void>();
  const visits = new Map<AbortController, Promise<unknown>>();
  let running = 0;
  let closed = false;

  async function admission(signal: AbortSignal): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      queue.add(resolve);
      signal.addEventListener('abort', () => {
        if (queue.delete(resolve)) reject(signal.reason);
      });
    });
  }

  function leave(): void {
    const [next] = queue;
    if (!next) {
      running -= 1;
      return;
    }
    queue.delete(next);
    next();
  }

  async function visit<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    await admission(signal);
    try {
      signal.throwIfAborted();
      return await work(signal);
    } finally {
      leave();
    }
  }

  return {
    async run(work) {
      if (closed) throw unreachable('Latchkey is shutting down');
      if (running >= atOnce && queue.size >= waiting) throw unreachable('too many people sign in at once');
      const controller = new AbortController();
      const { signal } = controller;
      const timer = setTimeout(
        () => controller.abort(unreachable(`it took longer than ${deadlineMs} ms`)),
        deadlineMs,
      );
      const outcome = Promise.race([visit(signal, work), rejectionOf(signal)]);
      visits.set(controller, outcome);
      try {
        return await outcome;
      } finally {
        clearTimeout(timer);
        visits.delete(controller);
      }
    },
    async close() {
      closed = true;
      const outcomes = [...visits.values()];
      for (const controller of visits.keys()) controller.abort(unreachable('Latchkey is shutting down'));
      await Promise.allSettled(outcomes);
    },
  };
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function unreachable(why: string): DirectoryError {
  return new DirectoryError(
    'DirectoryUnreachable',
    `The directory was not asked to the end: ${why}. Try again.`,
  );
}
