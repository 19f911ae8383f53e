// Up to where changes are known: no change between two questions is left out, by a count or by somebody else's clock.
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { generalizedTime } from '../../../../src/directory/ldap/generalized-time.ts';
import {
  advanced,
  afterSweep,
  changedSince,
  type TimeMark,
} from '../../../../src/directory/ldap/watch/watermark.ts';

const LATEST = Date.parse('2030-06-15T12:00:00Z');
const SEEN = 1_000_000;
const mark: TimeMark = { kind: 'time', latest: LATEST, seenAt: SEEN, askedAt: SEEN };

describe('by the count of Active Directory', () => {
  test('what was counted after the mark is asked for', () => {
    expect(changedSince({ kind: 'usn', server: 's', usn: 41n })).toBe('(uSNChanged>=42)');
  });

  test('a count of 64 bits is written whole', () => {
    expect(changedSince({ kind: 'usn', server: 's', usn: 9_223_372_036_854_775_806n })).toBe(
      '(uSNChanged>=9223372036854775807)',
    );
  });
});

describe('by the time of change', () => {
  test.each([
    ['that was seen as it was asked for: with what may come late', 0, '20300615115955Z'],
    ['and a slow answer may have missed as much as it took, too', -3_000, '20300615115952Z'],
    ['two seconds later, with three before it', 2_000, '20300615115957Z'],
    ['after the time in which changes may come late, from the latest on', 5_000, '20300615120000Z'],
    ['and a second later not even that', 6_000, '20300615120001Z'],
    ['and no later ever', 3_600_000, '20300615120001Z'],
  ])('%s', (_name, askedAfterMs, time) => {
    expect(changedSince({ ...mark, askedAt: SEEN + askedAfterMs })).toBe(`(modifyTimestamp>=${time})`);
  });

  test('a later change moves the mark, an earlier one or none only says that it was asked for', () => {
    const took = { beganAt: 2_000_000, endedAt: 2_000_010 };
    const latest = LATEST + 1_000;
    expect(advanced(mark, latest, took)).toEqual({
      kind: 'time',
      latest,
      seenAt: 2_000_010,
      askedAt: 2_000_000,
    });
    for (const earlier of [undefined, LATEST - 1, LATEST])
      expect(advanced(mark, earlier, took)).toEqual({ ...mark, askedAt: 2_000_000 });
  });

  test('a sweep counts from its beginning', () => {
    const took = { beganAt: 5_000, endedAt: 8_000 };
    expect(afterSweep(LATEST, took)).toEqual({ kind: 'time', latest: LATEST, seenAt: 8_000, askedAt: 5_000 });
    expect(afterSweep(undefined, took)).toBeUndefined();
  });

  // The server's clock runs as fast as ours, whatever it shows; it writes whole seconds.
  test('no change is left out, however long the answers take and however seldom it is asked', () => {
    const asks = fc.array(
      fc.record({
        gap: fc.integer({ min: 1, max: 20_000 }),
        tookMs: fc.integer({ min: 0, max: 10_000 }),
        changes: fc.boolean(),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(asks, fc.integer({ min: -1e9, max: 1e9 }), fc.nat(999), (all, skew, fraction) => {
        const stamp = (at: number) => Math.floor((LATEST + skew + fraction + at) / 1_000) * 1_000;
        let endedAt = 0;
        let current: TimeMark = { kind: 'time', latest: stamp(0), seenAt: 0, askedAt: 0 };
        for (const { gap, tookMs, changes } of all) {
          // The hardest change is the one just after the last question was asked.
          const changed = stamp(current.askedAt);
          const beganAt = endedAt + gap;
          endedAt = beganAt + tookMs;
          const since = generalizedTime(changedSince(current).slice(18, -1)) ?? Infinity;
          expect(since).toBeLessThanOrEqual(changed);
          current = advanced(current, changes ? changed : undefined, { beganAt, endedAt });
        }
      }),
    );
  });
});
