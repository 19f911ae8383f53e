// A replica says that it is cut off when proofs that it asked for do not come, and only then.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { CUT_OFF_AFTER_MS, reach } from '../../src/kubernetes/reach.ts';

const FRESH_MS = 5_000;

/** A proof that is made, if it can be, two seconds after it was asked for, as on a quiet cluster. */
class Proof {
  works = true;
  asked = 0;
  #provenAt = Number.NEGATIVE_INFINITY;
  #proving = false;

  isProven(): boolean {
    this.asked += 1;
    if (!this.#proving) {
      const began = Date.now();
      this.#proving = true;
      setTimeout(() => {
        this.#proving = false;
        if (this.works) this.#provenAt = began;
      }, 2_000);
    }
    return this.ageMs() < FRESH_MS;
  }

  ageMs(): number {
    return Date.now() - this.#provenAt;
  }
}

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  jest.useRealTimers();
});

/** Asks every `everyMs` for `forMs`. @returns the answers */
function probe(check: () => boolean, everyMs: number, forMs: number): boolean[] {
  const answers: boolean[] = [];
  for (let at = 0; at < forMs; at += everyMs) {
    jest.advanceTimersByTime(everyMs);
    answers.push(check());
  }
  return answers;
}

test.each([500, 1_000, 3_000, 10_000, 60_000, 600_000])(
  'asked every %i ms, it says yes for as long as proofs come',
  (everyMs) => {
    const check = reach([new Proof(), new Proof()]);
    expect(check()).toBe(true);
    expect(probe(check, everyMs, everyMs * 20)).not.toContain(false);
  },
);

test.each([500, 1_000, 3_000, 10_000])(
  'asked every %i ms, it says no some time after proofs stop coming, and yes soon after they come again',
  (everyMs) => {
    const users = new Proof();
    const check = reach([users, new Proof()]);
    probe(check, everyMs, 30_000);
    users.works = false;
    const answers = probe(check, everyMs, 60_000);
    expect(answers.at(-1)).toBe(false);
    expect(answers.indexOf(false) * everyMs).toBeGreaterThanOrEqual(CUT_OFF_AFTER_MS - everyMs);
    expect(answers.indexOf(false) * everyMs).toBeLessThanOrEqual(CUT_OFF_AFTER_MS + FRESH_MS + 2 * everyMs);
    users.works = true;
    expect(probe(check, everyMs, 4_000 + 2 * everyMs).at(-1)).toBe(true);
  },
);

test('every proof is asked for, also where the first says no', () => {
  const [first, second] = [new Proof(), new Proof()];
  first.works = false;
  const check = reach([first, second]);
  for (let time = 1; time <= 3; time++) {
    check();
    expect(second.asked).toBe(time);
  }
});
