import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { attempts } from '../../src/sessions/attempts.ts';

const MINUTE_MS = 60_000;
const LIMITS = { perUser: 3, perAddress: 5, windowMs: 15 * MINUTE_MS };
const at = (minutes: number) => new Date(minutes * MINUTE_MS);

describe('a username', () => {
  test('is let through until its limit, then has to wait until the window of the first failure ends', () => {
    const limit = attempts(LIMITS);
    for (const minute of [0, 1, 2]) expect(limit.begin('ada', `10.0.0.${minute}`, at(minute))).toBe(0);
    expect(limit.begin('ada', '10.0.0.9', at(5))).toBe(10 * MINUTE_MS);
    expect(limit.begin('ada', '10.0.0.9', at(15))).toBe(0);
  });

  test('is counted before the answer is known, so that many at once do not pass together', () => {
    const limit = attempts(LIMITS);
    const passed = Array.from({ length: 20 }, (_, i) => limit.begin('ada', `10.0.0.${i}`, at(0))).filter(
      (wait) => wait === 0,
    );
    expect(passed).toHaveLength(3);
  });

  test('is not held back by right passwords', () => {
    const limit = attempts(LIMITS);
    for (let i = 0; i < 50; i++) {
      expect(limit.begin('ada', '10.0.0.1', at(0))).toBe(0);
      limit.forgive('ada', '10.0.0.1');
    }
  });

  test('is not held back by the failures of others', () => {
    const limit = attempts(LIMITS);
    for (let i = 0; i < 3; i++) limit.begin('ada', '10.0.0.1', at(0));
    expect(limit.begin('grace', '10.0.0.2', at(0))).toBe(0);
  });
});

describe('an address', () => {
  test('is limited over all usernames', () => {
    const limit = attempts(LIMITS);
    const waits = Array.from({ length: 7 }, (_, i) => limit.begin(`user-${i}`, '10.0.0.1', at(0)));
    expect(waits.map((wait) => wait === 0)).toEqual([true, true, true, true, true, false, false]);
  });

  test.each([
    ['2001:db8::1', '2001:db8::ffff:1', true],
    ['2001:db8:0:0:1::', '2001:db8::2', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['::1', '::2', true],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.2', false],
    ['10.0.0.1', '10.0.0.2', false],
  ])('%s counts with %s: %s', (one, other, together) => {
    const limit = attempts({ ...LIMITS, perAddress: 1 });
    limit.begin('ada', one, at(0));
    expect(limit.begin('grace', other, at(0)) > 0).toBe(together);
  });
});

test('a flood of other names never makes a count be forgotten early', () => {
  const limit = attempts({ ...LIMITS, perAddress: 1_000_000 });
  for (let i = 0; i < 3; i++) limit.begin('ada', '10.0.0.1', at(0));
  for (let i = 0; i < 60_000; i++) limit.begin(`flood-${i}`, '10.0.0.2', at(1));
  expect(limit.begin('ada', '10.0.0.3', at(2))).toBeGreaterThan(0);
  // When the table is full, new names wait; when its windows have ended, they do not.
  expect(limit.begin('newcomer', '10.0.0.4', at(2))).toBe(LIMITS.windowMs);
  expect(limit.begin('newcomer', '10.0.0.4', at(17))).toBe(0);
});

test('whatever the order of things, no more failures than the limit pass in one window', () => {
  const event = fc.record({
    user: fc.constantFrom('ada', 'grace'),
    address: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    wait: fc.nat(5),
    fails: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const limit = attempts({ ...LIMITS, perAddress: 1_000 });
      let minute = 0;
      const failures: { user: string; minute: number }[] = [];
      for (const { user, address, wait, fails } of events) {
        minute += wait;
        if (limit.begin(user, address, at(minute)) > 0) continue;
        if (fails) failures.push({ user, minute });
        else limit.forgive(user, address);
      }
      // A fixed window lets at most two limits through in any stretch as long as a window.
      for (const { user, minute: start } of failures) {
        const within = failures.filter(
          (other) => other.user === user && other.minute >= start && other.minute < start + 15,
        );
        expect(within.length).toBeLessThanOrEqual(2 * LIMITS.perUser);
      }
    }),
  );
});
