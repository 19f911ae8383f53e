import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { floorAt, lifetime, refreshAt } from '../../src/domain/refresh.ts';
import { samplePolicy } from './sample.ts';

const MINUTE_MS = 60_000;
const LIFE = lifetime(samplePolicy());
const ISSUED = Date.parse('2030-01-01T00:00:00Z');
const EXPIRES = new Date(ISSUED + LIFE.ttlMs);

test('a token of 30 minutes is replaced when it is 9 to 15 minutes old', () => {
  fc.assert(
    fc.property(fc.uuid(), (uid) => {
      const age = refreshAt(uid, EXPIRES, LIFE).getTime() - ISSUED;
      expect(age).toBeGreaterThanOrEqual(9 * MINUTE_MS);
      expect(age).toBeLessThanOrEqual(15 * MINUTE_MS);
    }),
  );
});

test('users who signed in together are spread over that time', () => {
  const ages = Array.from(
    { length: 1_000 },
    (_, i) => refreshAt(`uid-${i}`, EXPIRES, LIFE).getTime() - ISSUED,
  );
  const inEachMinute = Array.from(
    { length: 6 },
    (_, minute) => ages.filter((age) => Math.floor(age / MINUTE_MS) === 9 + minute).length,
  );
  for (const count of inEachMinute) expect(count).toBeGreaterThan(100);
});

test('one user does not refresh at the same age every time', () => {
  const ages = Array.from({ length: 20 }, (_, i) => {
    const expires = new Date(EXPIRES.getTime() + i * 1_000);
    return refreshAt('uid', expires, LIFE).getTime() - (expires.getTime() - LIFE.ttlMs);
  });
  expect(new Set(ages).size).toBeGreaterThan(15);
});

test('a shorter ttl makes the tokens of the longer one due at once', () => {
  const shorter = lifetime(samplePolicy({ ttl: '15m', minRemaining: '10m' }));
  expect(refreshAt('uid', EXPIRES, shorter).getTime()).toBeGreaterThan(ISSUED);
  expect(refreshAt('uid', EXPIRES, lifetime(samplePolicy({ ttl: '60m' }))).getTime()).toBeLessThan(
    refreshAt('uid', EXPIRES, LIFE).getTime(),
  );
});

test('a token leaves five seconds before the least remaining life begins: a write takes its time, and clocks differ', () => {
  expect(floorAt(EXPIRES, LIFE).getTime() - ISSUED).toBe(20 * MINUTE_MS - 5_000);
});

/** Every lifetime that the schema of TokenPolicy lets through: a ttl of 1m to 24h, with 30 s of room. */
const lifetimes = fc
  .tuple(fc.integer({ min: 60, max: 86_400 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([ttl, share]) => ({
    ttlMs: ttl * 1_000,
    minRemainingMs: (1 + Math.floor(share * (ttl - 31))) * 1_000,
  }));

test('whatever the policy, a token is replaced after 45 to 75 % of what it may lose, and before its floor', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: 0, max: 4e9 }), lifetimes, (uid, issued, life) => {
      const expires = new Date(issued * 1_000 + life.ttlMs);
      const due = refreshAt(uid, expires, life);
      const spent = (due.getTime() - issued * 1_000) / (life.ttlMs - life.minRemainingMs);
      expect(spent).toBeGreaterThan(0.449);
      expect(spent).toBeLessThan(0.751);
      expect(due < floorAt(expires, life)).toBe(true);
    }),
  );
});
