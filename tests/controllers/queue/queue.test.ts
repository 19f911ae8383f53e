import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { WorkQueue } from '../../../src/controllers/queue/queue.ts';
import { LAST, LATE } from '../../../src/controllers/queue/urgency.ts';
import { ApiError, ApiUnreachableError } from '../../../src/kubernetes/api-error.ts';

let stop = new AbortController();
let running: Promise<void> = Promise.resolve();

beforeEach(() => {
  jest.useFakeTimers({ now: 0, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  // Work that is under way may sleep.
  await jest.advanceTimersByTimeAsync(10_000);
  await running;
  jest.useRealTimers();
});

function start(work: (key: string) => Promise<void>, concurrency = 1) {
  const failures: { key: string; pauseMs: number }[] = [];
  const queue = new WorkQueue({
    concurrency,
    work,
    onFailure: (key, _, pauseMs) => failures.push({ key, pauseMs }),
  });
  const run = (begin: () => void = () => undefined) => {
    running = queue.run(stop.signal, begin);
  };
  return { queue, failures, run };
}

const turns = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

describe('a key', () => {
  test('is worked on once, however often it was added', async () => {
    const done: string[] = [];
    const { queue, run } = start(async (key) => void done.push(key));
    run(() => {
      for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
      expect(queue.depth).toBe(2);
    });
    await turns();
    expect(done).toEqual(['a', 'b']);
  });

  test('comes before those that are less urgent, even where it was less urgent itself before', async () => {
    const done: string[] = [];
    const { queue, run } = start(async (key) => void done.push(key));
    run(() => {
      queue.add('calm', 300);
      queue.add('late', 100);
      queue.add('raised', 200);
      queue.add('raised', 0);
    });
    await turns();
    expect(done).toEqual(['raised', 'late', 'calm']);
  });

  test('that is added while it is worked on runs once more, and never twice at once', async () => {
    let now = 0;
    let most = 0;
    let runs = 0;
    const gates: (() => void)[] = [];
    const { queue, run } = start(async () => {
      most = Math.max(most, ++now);
      runs += 1;
      await new Promise<void>((open) => gates.push(open));
      now -= 1;
    }, 4);
    run(() => queue.add('a'));
    await turns();
    for (let i = 0; i < 5; i++) queue.add('a');
    gates.shift()?.();
    await turns();
    expect(runs).toBe(2);
    gates.shift()?.();
    await turns();
    expect({ runs, most }).toEqual({ runs: 2, most: 1 });
  });
});

describe('an appointment', () => {
  test('is kept at its time, and a later one replaces it', async () => {
    const done: number[] = [];
    const { queue, run } = start(async () => void done.push(Date.now()));
    run();
    queue.addAt('a', 5_000);
    queue.addAt('a', 9_000);
    await jest.advanceTimersByTimeAsync(8_900);
    expect(done).toEqual([]);
    await jest.advanceTimersByTimeAsync(200);
    expect(done).toEqual([9_000]);
  });

  test('is noticed within two seconds when the clock is set forward', async () => {
    const done: string[] = [];
    const { queue, run } = start(async (key) => void done.push(key));
    run();
    queue.addAt('a', 3_600_000);
    jest.setSystemTime(4_000_000);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(done).toEqual(['a']);
  });
});

describe('a failure', () => {
  test('is tried again after pauses that grow, up to a limit', async () => {
    const { queue, failures, run } = start(async () => {
      throw new Error('no');
    });
    run(() => queue.add('a'));
    await jest.advanceTimersByTimeAsync(600_000);
    const pauses = failures.map(({ pauseMs }) => pauseMs);
    expect(pauses[0]).toBeLessThan(100);
    expect(Math.max(...pauses)).toBeGreaterThan(10_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(45_000);
    expect(pauses.length).toBeGreaterThan(15);
  });

  test('waits as long as the API server asks for', async () => {
    const { queue, failures, run } = start(async () => {
      throw new ApiError('PUT /x', 429, {}, 7_000);
    });
    run(() => queue.add('a'));
    await turns();
    expect(failures).toEqual([{ key: 'a', pauseMs: 7_000 }]);
  });

  test('does not wait for hours, whoever asks for it', async () => {
    const { queue, failures, run } = start(async () => {
      throw new ApiError('PUT /x', 429, {}, 86_400_000);
    });
    run(() => queue.add('a'));
    await turns();
    expect(failures).toEqual([{ key: 'a', pauseMs: 30_000 }]);
  });

  test('is forgotten after a success', async () => {
    let fail = true;
    const { queue, failures, run } = start(async () => {
      if (fail) throw new Error('no');
    });
    run(() => queue.add('a'));
    await jest.advanceTimersByTimeAsync(20_000);
    fail = false;
    await jest.advanceTimersByTimeAsync(60_000);
    fail = true;
    const before = failures.length;
    queue.add('a');
    await turns();
    expect(failures[before]?.pauseMs).toBeLessThan(100);
  });
});

describe('while the server takes nothing', () => {
  const away = () => Promise.reject(new ApiUnreachableError('ApiUnreachable', 'no answer'));
  const busy = () => Promise.reject(new ApiError('PUT /x', 429, {}, 1_000));
  const broken = () => Promise.reject(new ApiError('PUT /x', 500, {}));
  const keys = Array.from({ length: 1_000 }, (_, n) => `key-${n}`);
  /** The expiry of its token, as urgency: the higher the number, the sooner. */
  const expiry = (key: string) => 2_000_000 - Number(key.slice(4));

  test.each([
    ['is away', away],
    ['has too much to do', busy],
    ['is broken', broken],
  ])('because it %s, it is asked a few times a second, however many wait', async (_, fail) => {
    let attempts = 0;
    const { queue, run } = start(() => {
      attempts += 1;
      return fail();
    }, 32);
    run(() => {
      for (const key of keys) queue.add(key, expiry(key));
    });
    await jest.advanceTimersByTimeAsync(20_000);
    const atFirst = attempts;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(attempts - atFirst).toBeLessThanOrEqual(240);
    expect(attempts - atFirst).toBeGreaterThanOrEqual(60);
  });

  test('nothing is lost, and when it is back all is done at once, the most urgent first', async () => {
    let isAway = true;
    const done: string[] = [];
    const { queue, run } = start(async (key) => {
      if (isAway) await away();
      done.push(key);
    }, 32);
    run(() => {
      for (const key of keys) queue.add(key, expiry(key));
    });
    await jest.advanceTimersByTimeAsync(600_000);
    isAway = false;
    await jest.advanceTimersByTimeAsync(6_000);
    expect(done.length).toBe(keys.length);
    // Some of those that failed last still pause when the first succeeds.
    const late = done.filter((key, place) => Math.abs(place - (999 - Number(key.slice(4)))) > 32);
    expect(late.length).toBeLessThan(32);
  });

  test('a change that comes in the middle of it is not forgotten, nor done twice', async () => {
    let isAway = true;
    const done: string[] = [];
    const { queue, run } = start(async (key) => {
      if (isAway) await away();
      done.push(key);
    }, 4);
    run(() => queue.add('a', 2_000_000));
    await jest.advanceTimersByTimeAsync(30_000);
    queue.add('a');
    queue.add('b');
    isAway = false;
    await jest.advanceTimersByTimeAsync(6_000);
    expect(done.toSorted()).toEqual(['a', 'b']);
  });

  test('what others succeed with goes on at full width when some are refused', async () => {
    let most = 0;
    let working = 0;
    const { queue, run } = start(async (key) => {
      working += 1;
      most = Math.max(most, working);
      await new Promise((resolve) => setTimeout(resolve, 10));
      working -= 1;
      if (Number(key.slice(4)) % 5 === 0) await broken();
    }, 32);
    run();
    for (const key of keys) queue.add(key, expiry(key));
    await jest.advanceTimersByTimeAsync(100);
    most = 0;
    await jest.advanceTimersByTimeAsync(100);
    expect(most).toBeGreaterThanOrEqual(16);
  });
});

describe('where more waits than may be under way', () => {
  /** Work that ends when it is let go, and what has begun so far. */
  function gated(concurrency: number) {
    const begun: string[] = [];
    const gates: (() => void)[] = [];
    const { queue, run } = start(async (key) => {
      begun.push(key);
      await new Promise<void>((open) => gates.push(open));
    }, concurrency);
    run(() => {
      for (let i = 0; i < 100; i++) queue.add(`key-${i}`, 1_000_000 + i);
    });
    const finish = async (count: number) => {
      for (const open of gates.splice(0, count)) open();
      await turns();
    };
    const end = () => {
      stop.abort();
      return finish(Number.POSITIVE_INFINITY);
    };
    return { queue, begun, finish, end };
  }

  test('the next begin together, when a quarter of the places is free', async () => {
    const { begun, finish, end } = gated(16);
    expect(begun).toHaveLength(16);
    await finish(3);
    expect(begun).toHaveLength(16);
    await finish(1);
    expect(begun).toHaveLength(20);
    await end();
  });

  test('none waits longer for it than a moment: others may hang', async () => {
    const { begun, finish, end } = gated(16);
    await finish(1);
    expect(begun).toHaveLength(16);
    await jest.advanceTimersByTimeAsync(10);
    expect(begun).toHaveLength(17);
    await end();
  });

  test('a change does not wait for it', async () => {
    const { queue, begun, finish, end } = gated(16);
    await finish(1);
    queue.add('change');
    expect(begun.at(-1)).toBe('change');
    await end();
  });
});

describe('nothing starves', () => {
  test('where many keys hang and fail: they get a quarter of the places', async () => {
    const done = new Map<string, number>();
    const { queue, run } = start(async (key) => {
      if (key.startsWith('hangs')) {
        await new Promise((resolve) => setTimeout(resolve, 10_000));
        throw new ApiError('PUT /x', 500, { message: 'failed calling webhook' });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
      done.set(key, (done.get(key) ?? 0) + 1);
      queue.addAt(key, Date.now() + 30_000);
    }, 32);
    run();
    for (let n = 0; n < 200; n++) {
      queue.add(`hangs-${n}`, 1_000_000 + n);
      if (n % 4 === 0) queue.add(`healthy-${n}`, 2_000_000 + n);
    }
    // Until those that hang have shown what they are.
    await jest.advanceTimersByTimeAsync(600_000);
    done.clear();
    await jest.advanceTimersByTimeAsync(300_000);
    expect(done.size).toBe(50);
    // Every 30 s, or very nearly so.
    expect(Math.min(...done.values())).toBeGreaterThanOrEqual(8);
  });

  test('where changes never end: every fourth key is one whose time has come', async () => {
    const done: string[] = [];
    const { queue, run } = start(async (key) => void done.push(key));
    run(() => {
      for (let n = 0; n < 30; n++) queue.add(`change-${n}`);
      for (let n = 0; n < 10; n++) queue.add(`due-${n}`, 2_000_000 + n);
    });
    await turns();
    await turns();
    await turns();
    expect(done.slice(0, 12).filter((key) => key.startsWith('due'))).toEqual(['due-0', 'due-1', 'due-2']);
  });

  test('but what nobody waits for comes when nothing else is left', async () => {
    const done: string[] = [];
    const { queue, run } = start(async (key) => void done.push(key));
    run(() => {
      queue.add('written down', LAST);
      queue.add('late', LATE);
      for (let n = 0; n < 6; n++) queue.add(`change-${n}`);
      queue.add('due', 2_000_000);
    });
    await turns();
    expect(done).toHaveLength(9);
    expect(done.slice(-2)).toEqual(['late', 'written down']);
  });
});

test('what is added while it does not run is not kept: a replica that stands by has nothing to do', async () => {
  const done: string[] = [];
  const { queue, run } = start(async (key) => void done.push(key));
  queue.add('changed');
  queue.addAt('due', 0);
  expect(queue.depth).toBe(0);
  expect(queue.oldestWaitingMs).toBe(0);
  run(() => queue.add('begun with'));
  await jest.advanceTimersByTimeAsync(5_000);
  expect(done).toEqual(['begun with']);
});

test('a run that is stopped waits for the work under way and forgets the rest', async () => {
  const done: string[] = [];
  let open: () => void = () => undefined;
  const { queue, run } = start(async (key) => {
    await new Promise<void>((resolve) => (open = resolve));
    done.push(key);
  });
  run(() => {
    queue.add('a');
    queue.add('b');
  });
  await turns();
  stop.abort();
  let ended = false;
  void running.then(() => (ended = true));
  await turns();
  expect(ended).toBe(false);
  open();
  await running;
  expect(done).toEqual(['a']);
  expect(queue.depth).toBe(0);
});

describe('what is measured', () => {
  test('is how many wait, and how long the one that has waited longest', async () => {
    const [busy, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { queue, run } = start((key) => (key === 'busy' ? busy : gate).promise);
    expect(queue.oldestWaitingMs).toBe(0);
    run(() => queue.add('busy'));
    queue.add('first', 500);
    await jest.advanceTimersByTimeAsync(1_000);
    queue.add('second', 0);
    expect(queue.depth).toBe(2);
    expect(queue.oldestWaitingMs).toBe(1_000);
    busy.resolve();
    await turns();
    // The more urgent one is worked on, and the one that has waited longer still waits.
    expect(queue.depth).toBe(1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(queue.oldestWaitingMs).toBe(2_000);
    queue.add('first', 100);
    expect(queue.oldestWaitingMs).toBe(2_000);
    gate.resolve();
    await turns();
    expect(queue.oldestWaitingMs).toBe(0);
  });

  test('is how long the work goes on that has gone on longest', async () => {
    const gates = new Map([
      ['stuck', Promise.withResolvers<void>()],
      ['quick', Promise.withResolvers<void>()],
    ]);
    const { queue, run } = start((key) => gates.get(key)?.promise ?? Promise.resolve(), 2);
    run();
    expect(queue.longestWorkMs).toBe(0);
    queue.add('stuck');
    await jest.advanceTimersByTimeAsync(3_000);
    queue.add('quick');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(queue.longestWorkMs).toBe(4_000);
    gates.get('quick')?.resolve();
    await turns();
    expect(queue.longestWorkMs).toBe(4_000);
    gates.get('stuck')?.resolve();
    await turns();
    expect(queue.longestWorkMs).toBe(0);
  });

  test('is how often work failed, by the code of the error', async () => {
    const errors = [
      new ApiError('PUT /x', 409, {}),
      new ApiError('PUT /x', 409, {}),
      new Error('a bug'),
      'thrown',
      new ApiUnreachableError('ApiUnreachable', 'no answer'),
    ];
    const { queue, run } = start(() => Promise.reject(errors.shift()));
    run();
    for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key);
    await turns();
    expect(queue.failures).toEqual(
      new Map([
        ['ApiRefused409', 2],
        ['Unexpected', 2],
        ['ApiUnreachable', 1],
      ]),
    );
  });
});
