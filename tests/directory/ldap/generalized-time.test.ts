// The times of directories, and what only looks like one.
import { describe, expect, test } from '@jest/globals';
import { daysSince1970, fileTime, generalizedTime } from '../../../src/directory/ldap/generalized-time.ts';

describe('a GeneralizedTime', () => {
  test.each([
    ['20300102030405Z', '2030-01-02T03:04:05.000Z'],
    ['20300102030405.5Z', '2030-01-02T03:04:05.500Z'],
    ['20300102030405,25Z', '2030-01-02T03:04:05.250Z'],
    ['203001020304Z', '2030-01-02T03:04:00.000Z'],
    ['203001020304.5Z', '2030-01-02T03:04:30.000Z'],
    ['2030010203Z', '2030-01-02T03:00:00.000Z'],
    ['2030010203.25Z', '2030-01-02T03:15:00.000Z'],
    ['20300102030405+0130', '2030-01-02T01:34:05.000Z'],
    ['20300102030405-05', '2030-01-02T08:04:05.000Z'],
    ['20240229000000Z', '2024-02-29T00:00:00.000Z'],
    ['19700101000000Z', '1970-01-01T00:00:00.000Z'],
    ['00990101000000Z', '0099-01-01T00:00:00.000Z'],
    ['20161231235960Z', '2016-12-31T23:59:59.000Z'],
  ])('%s is read', (text, iso) => {
    expect(new Date(generalizedTime(text) ?? Number.NaN).toISOString()).toBe(iso);
  });

  test.each([
    '',
    'never',
    '20300102',
    '20300102030405',
    '2030-01-02T03:04:05Z',
    '20301302030405Z',
    '20230229000000Z',
    '20300100000000Z',
    '20300102240000Z',
    '20300102036000Z',
    '20300102030461Z',
    '20300102030405Z ',
    '20300102030405Z\n',
    '20300102030405.Z',
    '0'.repeat(10_000) + 'Z',
  ])('%j is none', (text) => {
    expect(generalizedTime(text)).toBeUndefined();
  });
});

describe('a file time', () => {
  test.each([
    [0n, Infinity],
    [9_223_372_036_854_775_807n, Infinity],
    [116_444_736_000_000_000n, 0],
    [133_801_632_000_000_000n, Date.parse('2025-01-01T00:00:00Z')],
    [133_801_632_000_000_001n, Date.parse('2025-01-01T00:00:00Z')],
    [1n, Date.parse('1601-01-01T00:00:00Z')],
    // Beyond 2^53: a number would round it.
    [9_223_372_036_854_775_806n, 910_692_730_085_477],
  ])('%s is %s', (value, ms) => {
    expect(fileTime(value)).toBe(ms);
  });
});

describe('days since 1970', () => {
  test.each([
    [0n, 0],
    [20_089n, Date.parse('2025-01-01T00:00:00Z')],
    [99_999_999n, 99_999_999 * 86_400_000],
    [100_000_000n, Infinity],
    [9_223_372_036_854_775_807n, Infinity],
  ])('%s are %s', (days, ms) => {
    expect(daysSince1970(days)).toBe(ms);
  });
});
