// How many get through to a directory at once, who waits, and for how long.
import { afterEach, describe, expect, test } from '@jest/globals';
import { turnstile } from '../../src/directory/turnstile.ts';
import type { Turnstile, TurnstileLimits } from '../../src/directory/turnstile.ts';
import { directoryErrorOf } from './support/directory-error.ts';

let open: Turnstile | undefined;

function gateOf(limits: Partial<TurnstileLimits> = {}): Turnstile {
  open = turnstile({ atOnce: 1, waiting: 1, deadlineMs: 5000, ...limits });
  return open;
}

afterEach(() => open?.close());

describe('a turnstile', () => {
  test('returns what the work returns, and throws what it throws', async () => {
    const gate = gateOf();
    expect(await gate.run(() => Promise.resolve(7))).toBe(7);
    await expect(gate.run(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(await gate.run(() => Promise.resolve(8))).toBe(8);
  });

  test('lets only so many run at once, the others in the order in which they came', async () => {
    const gate = gateOf({ atOnce: 2, waiting: 8 });
    const order: number[] = [];
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        gate.run(async () => {
          order.push(index);
          running += 1;
          most = Math.max(most, running);
          await Promise.resolve();
          running -= 1;
        }),
      ),
    );
    expect(most).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('sends away whom it has no place to wait for', async () => {
    const gate = gateOf();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const running = gate.run(() => held);
    const waiting = gate.run(() => Promise.resolve('waited'));
    const error = await directoryErrorOf(gate.run(() => Promise.resolve('never')));
    expect(error.message).toMatch(/too many people sign in at once/);
    release();
    await running;
    expect(await waiting).toBe('waited');
  });

  test('aborts what takes too long, and answers even where the work does not listen', async () => {
    const gate = gateOf({ deadlineMs: 50 });
    let aborted = false;
    const error = await directoryErrorOf(
      gate.run((signal) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return new Promise(() => undefined);
      }),
    );
    expect(error).toMatchObject({ code: 'DirectoryUnreachable' });
    expect(aborted).toBe(true);
  });

  test('keeps the place of work that does not end, and lets nobody wait for it past the deadline', async () => {
    const gate = gateOf({ deadlineMs: 50 });
    await directoryErrorOf(gate.run(() => new Promise(() => undefined)));
    let began = false;
    const error = await directoryErrorOf(
      gate.run(() => {
        began = true;
        return Promise.resolve();
      }),
    );
    expect(error.message).toMatch(/longer than 50 ms/);
    expect(began).toBe(false);
  });

  test('frees the place of whoever gave up waiting', async () => {
    const gate = gateOf({ deadlineMs: 50 });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const errors = [gate.run(() => held), gate.run(() => Promise.resolve())].map((run) =>
      directoryErrorOf(run),
    );
    await Promise.all(errors);
    release();
    expect(await gate.run(() => Promise.resolve('next'))).toBe('next');
    expect(await gate.run(() => Promise.resolve('and next'))).toBe('and next');
  });

  test('ends what runs and waits when it closes, and lets nobody in after', async () => {
    const gate = gateOf();
    const attempts = [1, 2].map(() => directoryErrorOf(gate.run(() => new Promise(() => undefined))));
    await gate.close();
    const late = directoryErrorOf(gate.run(() => Promise.resolve()));
    for (const error of await Promise.all([...attempts, late]))
      expect(error.message).toMatch(/shutting down/);
  });
});
