// Each kind of setting: what it takes, what it makes of it, and that a wrong one is refused with an example.
import { describe, expect, test } from '@jest/globals';
import type { BlockList } from 'node:net';
import {
  count,
  durationText,
  list,
  listenAddress,
  networks,
  policyDuration,
  text,
  yesOrNo,
} from '../../src/config/fields.ts';

/** What the field makes of the text, or the words of its refusal. */
function read<T>(
  field: {
    safeParse(value: unknown): { data?: T; error?: { issues: { message: string }[] } | undefined };
  },
  value?: string,
): T | string | undefined {
  const { data, error } = field.safeParse(value);
  return error ? error.issues.map(({ message }) => message).join('; ') : data;
}

describe('a text', () => {
  test.each([
    ['ada', 'ada'],
    ['', 'must not be empty'],
    [undefined, 'is required'],
  ])('%j reads as %j', (given, wanted) => expect(read(text('A name.'), given)).toBe(wanted));
});

describe('a duration', () => {
  const WRONG = 'must be a duration: write for example 15m';
  test.each([
    [undefined, 900_000],
    ['1ms', 1],
    ['90s', 90_000],
    ['15m', 900_000],
    ['720h', 2_592_000_000],
    ['90d', 7_776_000_000],
    ['0s', WRONG],
    ['-5m', WRONG],
    ['1.5h', WRONG],
    ['1h30m', WRONG],
    ['15', WRONG],
    ['15 m', WRONG],
    ['m', WRONG],
    ['15M', WRONG],
    ['1e3s', WRONG],
    ['', WRONG],
    ['1000000d', WRONG],
    [`${'9'.repeat(200)}s`, WRONG],
  ])('%s reads as %s', (given, wanted) => expect(read(durationText('How long.', '15m'), given)).toBe(wanted));
});

describe('a duration of the TokenPolicy', () => {
  const WRONG = 'must be a duration: write for example 30m';
  test.each([
    [undefined, '30m'],
    ['90s', '90s'],
    ['24h', '24h'],
    ['1d', WRONG],
    ['100ms', WRONG],
    ['0m', WRONG],
    ['1h30m', WRONG],
    ['1000000s', WRONG],
  ])('%s reads as %s', (given, wanted) =>
    expect(read(policyDuration('How long.', '30m'), given)).toBe(wanted),
  );
});

describe('a count', () => {
  const WRONG = 'must be a whole number above 0';
  test.each([
    [undefined, 4],
    ['1', 1],
    ['9999999', 9_999_999],
    ['0', WRONG],
    ['-1', WRONG],
    ['1.5', WRONG],
    ['007', WRONG],
    ['1e3', WRONG],
    ['0x10', WRONG],
    ['10000000', WRONG],
    ['', WRONG],
  ])('%s reads as %s', (given, wanted) => expect(read(count('How many.', 4), given)).toBe(wanted));
});

describe('yes or no', () => {
  test.each([
    [undefined, false],
    ['true', true],
    ['false', false],
    ['yes', 'must be true or false'],
    ['True', 'must be true or false'],
    ['', 'must be true or false'],
  ])('%s reads as %s', (given, wanted) => expect(read(yesOrNo('Whether.'), given)).toBe(wanted));
});

describe('a list', () => {
  test.each([
    [undefined, ['a']],
    ['b', ['b']],
    [' b , c,,d ', ['b', 'c', 'd']],
    ['', []],
  ])('%j reads as %j', (given, wanted) => expect(read(list('Which.', 'a'), given)).toEqual(wanted));
});

describe('a listen address', () => {
  const WRONG = 'must be host:port: write for example 0.0.0.0:8443 or [::]:8443';
  test.each([
    [undefined, { host: '0.0.0.0', port: 8443 }],
    [':443', { host: '0.0.0.0', port: 443 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['my-host.example.org:65535', { host: 'my-host.example.org', port: 65_535 }],
    ['[::]:8443', { host: '::', port: 8443 }],
    ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
    ['[]:443', WRONG],
    ['[localhost]:443', WRONG],
    ['::1:443', WRONG],
    ['a b:443', WRONG],
    ['https://a:443', WRONG],
    ['localhost', WRONG],
    ['localhost:', WRONG],
    ['localhost:https', WRONG],
    ['localhost:65536', WRONG],
    ['localhost:-1', WRONG],
    ['8443', WRONG],
    ['', WRONG],
  ])('%s reads as %j', (given, wanted) =>
    expect(read(listenAddress('Where.', '0.0.0.0:8443'), given)).toEqual(wanted),
  );
});

describe('networks', () => {
  test.each<[string, string[], string[]]>([
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['11.0.0.0', '::1']],
    ['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['10.1.2.3/8', ['10.9.9.9'], ['11.0.0.0']],
    ['0.0.0.0/0', ['203.0.113.9'], ['::1']],
    ['2001:db8::/32', ['2001:db8::1'], ['2001:db9::1', '10.0.0.1']],
    ['::1, 10.0.0.0/8', ['::1', '10.0.0.1'], ['::2', '192.0.2.1']],
    ['', [], ['10.0.0.1', '::1']],
  ])('%j holds %j and not %j', (given, inside, outside) => {
    const blocks = read(networks('Which.'), given) as BlockList;
    const holds = (address: string) => blocks.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
    expect(inside.filter((address) => !holds(address))).toEqual([]);
    expect(outside.filter(holds)).toEqual([]);
  });

  test.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/9',
    '10.0.0.0/-1',
    '10.0.0/8',
    '10.0.0.256',
    '010.0.0.1',
    'fe80::1%eth0',
    'example.org',
    '10.0.0.0/8 192.168.0.0/16',
    '10.0.0.0/8, nonsense',
  ])('%s is refused', (given) =>
    expect(read(networks('Which.'), given)).toBe('must be networks: write for example 10.0.0.0/8'),
  );
});
