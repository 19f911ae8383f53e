// What is measured is the time from the cause of an end to the first no after it, and nothing else.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { TokenPolicy } from '../../src/api/token-policy.ts';
import type { User } from '../../src/api/user.ts';
import { createStores, type Stores } from '../../src/observation/caches.ts';
import { causesOf, type Causes } from '../../src/verification/causes.ts';
import { samplePolicy, sampleUser } from '../domain/sample.ts';

const NOW = new Date('2030-06-01T12:00:00Z');
const ISSUED_AT = NOW.getTime() / 1_000 - 60;

let stores: Stores;
let causes: Causes;
let version: number;
beforeEach(() => {
  jest.useFakeTimers({ now: NOW });
  version = 1;
  stores = createStores();
  causes = causesOf(stores);
  user({});
  policy({});
});
afterEach(() => {
  jest.useRealTimers();
});

const session = (id: string) => ({
  id,
  startedAt: NOW.toISOString(),
  epoch: 'epoch',
  userUID: 'uid-ada',
  generation: 1,
});

function user({ sid = 'one', disabled = false }: { sid?: string | undefined; disabled?: boolean }): void {
  const found: User = sampleUser({ spec: { disabled }, status: { phase: 'Active', session: session(sid) } });
  version += 1;
  stores.users.applyEvent('MODIFIED', {
    name: 'ada',
    uid: 'uid-ada',
    resourceVersion: String(version),
    user: found,
  });
}

function policy({ enabled = true, epoch = 'epoch' }): void {
  const sample = samplePolicy();
  const found: TokenPolicy = {
    ...sample,
    spec: { ...sample.spec, enabled },
    status: { epoch, observedGeneration: 1 },
  };
  version += 1;
  stores.policies.applyEvent('MODIFIED', {
    name: 'cluster',
    uid: 'uid-policy',
    resourceVersion: String(version),
    policy: found,
  });
}

describe('of one user', () => {
  test('it is the time since the switch was seen, for the first no alone', () => {
    user({ disabled: true });
    jest.advanceTimersByTime(40);
    expect(causes.firstNo('one', ISSUED_AT)).toBe(40);
    jest.advanceTimersByTime(40);
    expect(causes.firstNo('one', ISSUED_AT)).toBeUndefined();
  });

  test('what follows on the cause does not make it later', () => {
    user({ disabled: true });
    jest.advanceTimersByTime(30);
    user({ disabled: true, sid: 'none-any-more' });
    jest.advanceTimersByTime(10);
    expect(causes.firstNo('one', ISSUED_AT)).toBe(40);
  });

  test('a session that is another one is the end of the first', () => {
    user({ sid: 'two' });
    jest.advanceTimersByTime(5);
    expect(causes.firstNo('one', ISSUED_AT)).toBe(5);
    expect(causes.firstNo('two', ISSUED_AT)).toBeUndefined();
  });

  test('a no to a session that goes on, as for an audience that was withdrawn, is none', () => {
    expect(causes.firstNo('one', ISSUED_AT)).toBeUndefined();
  });
});

describe('of everybody', () => {
  test('it is the time since the policy was switched off, and the epoch that follows does not make it later', () => {
    policy({ enabled: false });
    jest.advanceTimersByTime(30);
    policy({ enabled: false, epoch: 'next' });
    jest.advanceTimersByTime(10);
    expect(causes.firstNo('one', ISSUED_AT)).toBe(40);
    expect(causes.firstNo('another', ISSUED_AT)).toBe(40);
    expect(causes.firstNo('another', ISSUED_AT)).toBeUndefined();
  });

  test('it is the time since another epoch was seen, as after "latchkey revoke --all"', () => {
    policy({ epoch: 'next' });
    jest.advanceTimersByTime(7);
    expect(causes.firstNo('one', ISSUED_AT)).toBe(7);
  });

  test('a no hours later, to a session that began since, is none', () => {
    policy({ epoch: 'next' });
    jest.advanceTimersByTime(2 * 3_600_000);
    user({ sid: 'later' });
    expect(causes.firstNo('later', Date.now() / 1_000)).toBeUndefined();
    user({ sid: 'later', disabled: true });
    jest.advanceTimersByTime(3);
    expect(causes.firstNo('later', Date.now() / 1_000 - 1)).toBe(3);
  });
});
