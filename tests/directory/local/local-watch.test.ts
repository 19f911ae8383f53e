// The watch of local accounts: what they say of whoever was there, and what a list that is none does not.
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { localWatch } from '../../../src/directory/local/local-watch.ts';
import { hashPassword } from '../../../src/directory/local/password-hash.ts';
import { readRoll } from '../../../src/directory/local/roll.ts';
import type { DirectoryWatch } from '../../../src/directory/watch/watch.ts';
import { afterTest } from '../../support/after-test.ts';

const hash = await hashPassword('right');
const ADA = `ada:${hash}\n`;
const GRACE = `Grace:${hash}\n`;
const MINUTE_MS = 60_000;

interface Watching {
  readonly watch: DirectoryWatch;
  readonly told: string[];
  readonly outcomes: string[];
  readonly log: string[];
  /** Of the Secret; undefined where there is none. */
  write(text: string | undefined): void;
  /** Since the API server said that it is so. */
  heardMs: number;
  /** Of the clock that is gone by, before that of this machine. */
  aheadMs: number;
}

function watching(text: string | undefined, wereThere: readonly string[] = ['ada', 'grace']): Watching {
  const told: string[] = [];
  const outcomes: string[] = [];
  const log: string[] = [];
  const state: Watching = {
    watch: localWatch(
      (tell, signal) => {
        state.write = (next) => tell(readRoll(next));
        state.write(text);
        const { promise: done, resolve } = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => resolve());
        return { heardMs: () => state.heardMs, done };
      },
      {
        wanted: {
          has: (folded) => ['ada', 'grace'].includes(folded),
          all: () => ['ada', 'grace'],
          spelling: (folded) => folded,
        },
        wasThere: (folded) => wereThere.includes(folded),
        count: {
          polled: (kind, outcome) => void outcomes.push(`${kind} ${outcome}`),
          requested: () => undefined,
          unusable: () => undefined,
        },
        now: () => new Date(Date.now() + state.aheadMs),
        log: pino({ level: 'error' }, { write: (line) => void log.push(line) }),
      },
    ),
    told,
    outcomes,
    log,
    write: () => undefined,
    heardMs: 0,
    aheadMs: 0,
  };
  state.watch.onFindings((names) => told.push(...names));
  const stop = new AbortController();
  const ended = state.watch.run(stop.signal);
  afterTest(async () => {
    stop.abort();
    await ended;
  });
  return state;
}

const findingOf = ({ watch }: Watching, name: string) => watch.find(name).finding;
const MISSING = { state: 'Missing', spells: [] };
const FOUND = { state: 'Found', spells: [] };

describe('of whoever was there', () => {
  test('an account is found, whatever its case, and everybody is told of', () => {
    const state = watching(ADA + GRACE);
    expect([findingOf(state, 'ada'), findingOf(state, 'grace')]).toEqual([FOUND, FOUND]);
    expect(state.told).toEqual(['ada', 'grace']);
    expect(state.outcomes).toEqual(['sweep Answered']);
  });

  test('an account that is taken out is missing, and found again when it is put back; nobody else is told of', () => {
    const state = watching(ADA + GRACE);
    state.told.length = 0;
    state.write(GRACE);
    expect(findingOf(state, 'ada')).toEqual(MISSING);
    expect(state.told).toEqual(['ada']);
    state.write(ADA + GRACE);
    expect(findingOf(state, 'ada')).toEqual(FOUND);
    expect(state.told).toEqual(['ada', 'ada']);
  });

  test('an account that was taken out while nobody watched is missing from the beginning', () => {
    const state = watching(GRACE);
    expect(findingOf(state, 'ada')).toEqual(MISSING);
    expect(state.told).toContain('ada');
  });

  test('an account with a ! is disabled', () => {
    const state = watching(ADA + GRACE);
    state.told.length = 0;
    state.write(ADA.replace(':', ':!') + GRACE);
    expect(state.told).toEqual(['ada']);
    expect(findingOf(state, 'ada')).toEqual({ state: 'Found', spells: [{ reason: 'Disabled' }] });
  });
});

test('of somebody who never was there it is not said that an account is missing', () => {
  const state = watching(GRACE, ['grace']);
  expect(findingOf(state, 'ada')).toBeUndefined();
});

test('an account of nobody who is a User is told of to nobody', () => {
  const state = watching(ADA);
  state.told.length = 0;
  state.write(`${ADA}linus:${hash}`);
  expect(state.told).toEqual([]);
});

test('what is known is as old as what the API server said last', () => {
  const state = watching(ADA);
  state.heardMs = MINUTE_MS;
  const { askedAt } = state.watch.find('ada');
  const ageMs = Date.now() - (askedAt?.getTime() ?? 0);
  expect(Math.abs(ageMs - MINUTE_MS)).toBeLessThan(5_000);
  expect(state.watch.looks()).toEqual({ askedAt: expect.any(Date), sweptAt: expect.any(Date) });
});

describe('nothing is taken from anybody', () => {
  test.each<[string, string | undefined, string]>([
    ['that is not there', undefined, 'NotThere'],
    ['that is malformed', `${ADA}grace:${hash.slice(0, -50)}:secret\n`, 'Malformed'],
    ['of nobody', '# nobody\n', 'NobodyFound'],
  ])('by a list %s: what was known stands and grows old, and the fault is said', (_name, text, fault) => {
    const state = watching(ADA + GRACE);
    const heard: boolean[] = [];
    state.watch.onHearing(() => heard.push(state.watch.hearing().isSilent));
    state.told.length = 0;
    state.write(text);
    expect([findingOf(state, 'ada'), findingOf(state, 'grace')]).toEqual([FOUND, FOUND]);
    const { askedAt, isSilent, fault: said } = state.watch.hearing();
    expect(isSilent).toBe(true);
    expect(said).toMatchObject({ fault });
    expect(state.outcomes).toEqual(['sweep Answered', `sweep ${fault}`]);
    expect(state.log).toHaveLength(1);
    expect(state.log.join()).not.toMatch(/grace|secret\\n|scrypt\$ln=15/);
    state.heardMs = 10 * MINUTE_MS;
    expect(state.watch.hearing().askedAt).toEqual(askedAt);

    state.heardMs = 0;
    state.write(ADA + GRACE);
    expect(heard).toEqual([true, false]);
    expect(state.told).toEqual([]);
  });

  test('by a list that was none from the beginning: nothing is known of anybody', () => {
    const state = watching(undefined);
    expect(state.watch.find('ada')).toEqual({ finding: undefined, askedAt: undefined });
    expect(state.watch.hearing()).toMatchObject({ askedAt: undefined, isSilent: true });
    state.write(GRACE);
    expect(findingOf(state, 'ada')).toEqual(MISSING);
    expect(state.told).toEqual(['ada', 'grace']);
  });

  test('by an API server that has said nothing of the list for minutes, and that is said', () => {
    const state = watching(ADA + GRACE);
    state.heardMs = 10 * MINUTE_MS;
    state.write(ADA + GRACE);
    expect(state.watch.hearing()).toMatchObject({ isSilent: true, fault: { fault: 'TooSlow' } });
    expect(findingOf(state, 'ada')).toEqual(FOUND);
  });
});

test('whoever leads anew begins without knowing anything', async () => {
  const state = watching(ADA);
  const stop = new AbortController();
  const again = state.watch.run(stop.signal);
  state.write(GRACE);
  stop.abort();
  await again;
  expect(findingOf(state, 'grace')).toBeUndefined();
});

test('what was told was asked by the clock that is gone by, also where that of this machine is wrong', () => {
  const state = watching(ADA);
  state.aheadMs = -60 * MINUTE_MS;
  const { askedAt } = state.watch.find('ada');
  expect(Math.abs((askedAt?.getTime() ?? 0) - (Date.now() - 60 * MINUTE_MS))).toBeLessThan(MINUTE_MS);
});
