// A wait that is in vain says what it waited for and what it saw last, in time, whatever the look does.
import { expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '../../dev/wait-until.ts';

test('it returns what the first look that is content has found', async () => {
  let looks = 0;
  expect(await waitUntil('three looks', 10_000, () => (looks += 1) >= 3 && `look ${looks}`)).toBe('look 3');
});

test('in vain, it says what it has seen last', async () => {
  let looks = 0;
  const waiting = waitUntil('Godot', 100, (see) => {
    see({ phase: 'Pending', looks: (looks += 1) });
    return false;
  });
  await expect(waiting).rejects.toThrow(
    /^waited 0\.1 s for Godot, in vain; last seen: \{ phase: 'Pending', looks: \d+ \}$/,
  );
});

test('what it quotes is bounded', async () => {
  const waiting = waitUntil('silence', 0, (see) => {
    see('x'.repeat(1_000_000));
    return false;
  });
  const error = await waiting.catch((thrown: unknown) => thrown as Error);
  expect(error).toMatchObject({ code: 'TimedOut' });
  expect((error as Error).message.length).toBeLessThan(2_100);
});

test('the last look begins when the time is up, however slow the one before it was', async () => {
  const began = performance.now();
  const slow = async () => {
    const late = performance.now() - began >= 100;
    await delay(150);
    return late;
  };
  await expect(waitUntil('the time', 100, slow)).resolves.toBe(true);
});

test('an error ends it at once', async () => {
  const look = () => {
    throw new Error('broken');
  };
  await expect(waitUntil('anything', 60_000, look)).rejects.toThrow('broken');
});

test('a look that never answers does not keep it for ever', async () => {
  jest.useFakeTimers();
  try {
    const waiting = waitUntil('an answer', 1_000, (see) => {
      see('the question');
      return new Promise<boolean>(() => undefined);
    });
    const outcome = waiting.catch((error: unknown) => (error as Error).message);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(await outcome).toBe(
      'waited 1 s for an answer, in vain: the last look has not ended in 30 s; last seen: the question',
    );
  } finally {
    jest.useRealTimers();
  }
});
