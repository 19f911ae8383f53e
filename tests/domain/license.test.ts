// What a licence is worth at a moment, and what is written of it.
import { describe, expect, test } from '@jest/globals';
import type { LicenseStatus } from '../../src/api/token-policy.ts';
import { assess, decideLicense, isGood, type LicenseContent } from '../../src/domain/license.ts';
import { licenseText } from '../../src/domain/license-texts.ts';
import { NOW, verified, later, MINUTE_MS } from './pictures.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
const text = (date: Date) => `${date.toISOString().slice(0, 19)}Z`;

/** A licence that ends so long after NOW. */
const ends = (ms: number, writtenAt?: Date) =>
  verified({ expiresAt: later(ms) }, writtenAt ?? new Date('2029-01-01T00:00:00Z'));

/** What the status says of a licence that ended, or will, so long after NOW, when it was looked at last at `seenMs`. */
function accountedFor(endMs: number, seenMs: number, state: LicenseStatus['state'] = 'Valid'): LicenseStatus {
  return { state, id: 'license-0', expiresAt: text(later(endMs)), latestTime: text(later(seenMs)) };
}

describe('the state', () => {
  test.each<[LicenseStatus['state'], string, LicenseContent]>([
    ['NotRequired', 'none is required', { kind: 'NotRequired' }],
    ['Missing', 'there is none', { kind: 'Missing' }],
    ['Invalid', 'the vendor does not vouch for it', { kind: 'Invalid', problem: 'It is not signed.' }],
    ['Valid', 'it ends in more than 30 days', ends(30 * DAY_MS + 1)],
    ['Expiring', 'it ends in 30 days', ends(30 * DAY_MS)],
    ['Expiring', 'it ends in a millisecond', ends(1)],
    ['Expired', 'it ends now', ends(0)],
    ['Expired', 'it ended long ago', ends(-DAY_MS)],
    ['NotYetValid', 'it begins in a millisecond', verified({ notBefore: later(1) })],
    ['Valid', 'it begins now', verified({ notBefore: NOW })],
  ])('is %s where %s', (state, _, content) => {
    expect(assess({ content, at: NOW }, undefined)).toMatchObject({ state, lapsed: false });
    expect(isGood(state)).toBe(['NotRequired', 'Valid', 'Expiring'].includes(state));
  });

  test('goes by the latest time that was persisted, where the clock was set back behind it', () => {
    const reading = { content: ends(HOUR_MS), at: NOW };
    expect(assess(reading, accountedFor(HOUR_MS, HOUR_MS - 1_000)).state).toBe('Expiring');
    expect(assess(reading, accountedFor(HOUR_MS, HOUR_MS, 'Expired')).state).toBe('Expired');
    expect(licenseText(reading, accountedFor(HOUR_MS, HOUR_MS, 'Expired'))?.message).toContain(
      'was set back',
    );
  });
});

describe('a lapse that nobody watched', () => {
  const end = -2 * DAY_MS;
  const seen = -3 * DAY_MS;
  const lapsed = (content: LicenseContent, accounted = accountedFor(end, seen)) =>
    assess({ content, at: NOW }, accounted).lapsed;

  test.each<[string, boolean, LicenseContent]>([
    ['renewed an hour after the end', true, ends(DAY_MS, later(end + HOUR_MS))],
    ['renewed in the second of the end, or a little later', true, ends(DAY_MS, later(end))],
    ['renewed in the second before the end', false, ends(DAY_MS, later(end - 1_000))],
    ['renewed, and nothing tells when', true, { ...verified(), writtenAt: undefined } as LicenseContent],
    [
      'renewed early by one that begins only after the end',
      true,
      verified({ notBefore: later(end + 1_000) }, later(end - DAY_MS)),
    ],
    [
      'renewed early by one that begins at the end',
      false,
      verified({ notBefore: later(end) }, later(end - DAY_MS)),
    ],
  ])('where it was %s: %s', (_, expected, content) => {
    expect(lapsed(content)).toBe(expected);
  });

  test('is none while the licence that was accounted for has not ended', () => {
    expect(lapsed(ends(DAY_MS, NOW), accountedFor(HOUR_MS, seen))).toBe(false);
  });

  test('is none where the end was seen, and every session ended then', () => {
    expect(lapsed(ends(DAY_MS, NOW), accountedFor(end, end, 'Expired'))).toBe(false);
  });

  test('is none before the first licence', () => {
    expect(assess({ content: ends(DAY_MS, NOW), at: NOW }, undefined).lapsed).toBe(false);
    expect(lapsed(ends(DAY_MS, NOW), { state: 'NotRequired' })).toBe(false);
  });

  test('ends every session, and is accounted for then', () => {
    const reading = { content: ends(DAY_MS, NOW), at: NOW };
    const { status, endsSessions } = decideLicense(reading, accountedFor(end, seen));
    expect(endsSessions).toBe(true);
    expect(status.state).toBe('Expiring');
    expect(decideLicense(reading, status).endsSessions).toBe(false);
    expect(licenseText(reading, accountedFor(end, seen))).toMatchObject({
      isGood: false,
      reason: 'LicensePending',
    });
    expect(licenseText(reading, status)).toMatchObject({ isGood: true });
  });
});

describe('while no two clocks have agreed', () => {
  const before = accountedFor(HOUR_MS, -MINUTE_MS);
  const renewed = { content: ends(DAY_MS, later(2 * HOUR_MS)), at: NOW };

  test('a licence that may have come after the end of the one before it is not accounted for, and soon looked at again', () => {
    expect(decideLicense({ ...renewed, mayBeLater: true }, before)).toEqual({
      status: before,
      endsSessions: false,
      lookAgainAt: later(MINUTE_MS),
    });
    expect(decideLicense({ ...renewed, at: later(3 * HOUR_MS) }, before)).toMatchObject({
      status: { expiresAt: later(DAY_MS).toISOString().replace('.000', '') },
      endsSessions: true,
    });
  });

  test.each<[string, LicenseContent]>([
    ['no licence', { kind: 'Missing' }],
    ['one that does not count', { kind: 'Invalid', problem: 'It is not signed.' }],
    ['one that has ended even by the earliest time', ends(-DAY_MS)],
  ])('%s ends every session all the same', (_, content) => {
    expect(decideLicense({ content, at: NOW, mayBeLater: true }, before).endsSessions).toBe(true);
  });

  test('the first licence is taken up', () => {
    expect(decideLicense({ ...renewed, mayBeLater: true }, undefined).status.expiresAt).toBeDefined();
  });
});

describe('every session ends', () => {
  const good = accountedFor(HOUR_MS, -MINUTE_MS);
  test.each<[string, LicenseContent]>([
    ['ends', ends(0)],
    ['is taken away', { kind: 'Missing' }],
    ['is replaced by one that does not count', { kind: 'Invalid', problem: 'It is not signed.' }],
    ['is replaced by one that has not begun', verified({ notBefore: later(HOUR_MS) })],
  ])('once when the licence %s', (_, content) => {
    const first = decideLicense({ content, at: NOW }, good);
    expect(first.endsSessions).toBe(true);
    expect(decideLicense({ content, at: later(MINUTE_MS) }, first.status)).toMatchObject({
      status: first.status,
      endsSessions: false,
    });
  });

  test('when a licence is required for the first time and there is none', () => {
    expect(decideLicense({ content: { kind: 'Missing' }, at: NOW }, undefined).endsSessions).toBe(true);
    expect(
      decideLicense({ content: { kind: 'Missing' }, at: NOW }, { state: 'NotRequired' }).endsSessions,
    ).toBe(true);
  });

  test('not when it is renewed early, nor when it is renewed after it has ended', () => {
    expect(decideLicense({ content: ends(DAY_MS, NOW), at: NOW }, good).endsSessions).toBe(false);
    const expired = decideLicense({ content: ends(0), at: NOW }, good).status;
    expect(
      decideLicense({ content: ends(DAY_MS, later(HOUR_MS)), at: later(HOUR_MS) }, expired).endsSessions,
    ).toBe(false);
  });
});

describe('the status', () => {
  const content = ends(60 * DAY_MS);
  const first = decideLicense({ content, at: later(500) }, undefined).status;

  test('says whose licence it is, for how many, and until when', () => {
    expect(first).toEqual({
      state: 'Valid',
      id: 'license-1',
      customer: 'Example Ltd',
      users: 100,
      notBefore: '2029-01-01T00:00:00Z',
      expiresAt: text(later(60 * DAY_MS)),
      latestTime: text(NOW),
    });
  });

  test('is written again for the time alone once an hour, and never with an earlier one', () => {
    const at = (ms: number) => decideLicense({ content, at: later(ms) }, first).status;
    expect(at(HOUR_MS - 1)).toEqual(first);
    expect(at(HOUR_MS)).toEqual({ ...first, latestTime: text(later(HOUR_MS)) });
    expect(at(-DAY_MS)).toEqual(first);
  });

  test('keeps the latest time when the licence is taken away', () => {
    const gone = decideLicense({ content: { kind: 'Missing' }, at: later(-DAY_MS) }, first).status;
    expect(gone).toEqual({ state: 'Missing', latestTime: text(NOW) });
  });

  test('has nothing else where no licence is required', () => {
    expect(decideLicense({ content: { kind: 'NotRequired' }, at: NOW }, first)).toEqual({
      status: { state: 'NotRequired' },
      endsSessions: false,
      lookAgainAt: undefined,
    });
  });
});

describe('the next look', () => {
  test.each<[string, number, LicenseContent]>([
    ['the next mark of the time', HOUR_MS, ends(60 * DAY_MS)],
    ['the next mark of the time, without a licence', HOUR_MS, { kind: 'Missing' }],
    ['30 days before the end', MINUTE_MS, ends(30 * DAY_MS + MINUTE_MS)],
    ['7 days before the end', MINUTE_MS, ends(7 * DAY_MS + MINUTE_MS)],
    ['the end', MINUTE_MS, ends(MINUTE_MS)],
    ['the beginning', MINUTE_MS, verified({ notBefore: later(MINUTE_MS) })],
    ['the next mark of the time, after the end', HOUR_MS, ends(-MINUTE_MS)],
  ])('is at %s', (_, ms, content) => {
    expect(decideLicense({ content, at: NOW }, undefined).lookAgainAt).toEqual(later(ms));
  });

  test('is always later, and what is decided then differs or the mark has moved', () => {
    const content = ends(7 * DAY_MS + 90 * MINUTE_MS);
    let at = NOW;
    let status: LicenseStatus | undefined;
    for (let looks = 0; looks < 8 * 24 && status?.state !== 'Expired'; looks++) {
      const decision: ReturnType<typeof decideLicense> = decideLicense({ content, at }, status);
      expect(decision.lookAgainAt?.getTime()).toBeGreaterThan(at.getTime());
      status = decision.status;
      at = decision.lookAgainAt ?? at;
    }
    expect(status?.state).toBe('Expired');
    expect(text(at)).toBe(text(later(7 * DAY_MS + 150 * MINUTE_MS)));
  });
});

describe('what is said', () => {
  const said = (content: LicenseContent) => licenseText({ content, at: NOW }, undefined);

  test('is nothing where no licence is required', () => {
    expect(said({ kind: 'NotRequired' })).toBeUndefined();
  });

  test.each<[string, boolean, LicenseContent]>([
    ['LicenseValid', true, ends(31 * DAY_MS)],
    ['LicenseExpiring', true, ends(7 * DAY_MS + 1)],
    ['LicenseExpiringSoon', true, ends(7 * DAY_MS)],
    ['LicenseExpired', false, ends(0)],
    ['LicenseMissing', false, { kind: 'Missing' }],
    ['LicenseInvalid', false, { kind: 'Invalid', problem: 'It is not signed.' }],
    ['LicenseNotYetValid', false, verified({ notBefore: later(1_000) })],
  ])('has the reason %s, good %s, and sentences with what to do next', (reason, good, content) => {
    const words = said(content);
    expect(words).toMatchObject({ reason, isGood: good });
    expect(words?.message).toMatch(/^[A-Z].*\.$/);
    expect(words?.message).not.toMatch(/undefined|license-1/);
    if (reason !== 'LicenseValid') expect(words?.message).toContain('latchkey-license');
    expect(words?.message).not.toContain('was set back');
  });
});
