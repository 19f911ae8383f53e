// What a scrape says, of what happened and of what is, in the text that Prometheus reads.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Happening } from '../../src/domain/happening.ts';
import type { CacheState, QueueState, Sources, TokenState } from '../../src/metrics/gauges.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import { ada, NOW, policyWith } from '../domain/pictures.ts';
import { samplesIn } from './samples.ts';

const user = ada();
const CAUSE = { reason: 'SwitchedOff', message: 'Off.' };

let metrics: Metrics;
beforeEach(() => {
  metrics = createMetrics('1.2.3');
});

const samples = async () => samplesIn(await metrics.scrape());

const QUIET: Sources = {
  isLeading: () => false,
  queues: () => new Map(),
  caches: () => new Map(),
  tokens: () => ({ count: 0, leastRemainingMs: undefined }),
  users: () => new Map(),
  licenseRemainingMs: () => undefined,
  holds: () => new Map(),
  eventsDropped: () => 0,
  directoryUsers: () => new Map(),
  directoryAnswers: () => new Map(),
};

describe('what happened is counted', () => {
  const issued = (refresh: boolean): Happening => ({
    what: 'TokenIssued',
    user,
    session: 's',
    jti: 'n',
    expiresAt: NOW,
    refresh,
    tookMs: 3,
  });

  test.each<[string, Happening, Record<string, number>]>([
    ['a first token', issued(false), { 'latchkey_tokens_issued_total{occasion="first"}': 1 }],
    [
      'a refresh, with its duration',
      issued(true),
      {
        'latchkey_tokens_issued_total{occasion="refresh"}': 1,
        latchkey_token_refresh_duration_seconds_count: 1,
        latchkey_token_refresh_duration_seconds_sum: 0.003,
        'latchkey_token_refresh_duration_seconds_bucket{le="0.002"}': 0,
        'latchkey_token_refresh_duration_seconds_bucket{le="0.005"}': 1,
      },
    ],
    [
      'a revocation, by its reason',
      { what: 'TokenRevoked', user, jti: undefined, cause: CAUSE },
      { 'latchkey_tokens_revoked_total{reason="SwitchedOff"}': 1 },
    ],
    [
      'a revocation that is one of everybody’s',
      { what: 'TokenRevoked', user, jti: undefined, cause: { ...CAUSE, forEveryone: true } },
      { 'latchkey_tokens_revoked_total{reason="SwitchedOff"}': 1 },
    ],
    [
      'the end of a session',
      { what: 'SessionEnded', user, session: 's', cause: CAUSE },
      { 'latchkey_sessions_ended_total{reason="SwitchedOff"}': 1 },
    ],
    [
      'the end of every session',
      { what: 'EverySessionEnded', policy: policyWith(), cause: CAUSE },
      { 'latchkey_session_resets_total{reason="SwitchedOff"}': 1 },
    ],
    [
      'a sign-in, by its outcome',
      { what: 'SignIn', outcome: 'Refused', address: '192.0.2.1' },
      { 'latchkey_sign_ins_total{outcome="Refused"}': 1 },
    ],
    ['an onboarding', { what: 'Onboarded', user }, { latchkey_users_onboarded_total: 1 }],
    [
      'an onboarding that is refused',
      { what: 'OnboardingRefused', policy: policyWith(), username: 'ada', cause: CAUSE },
      { 'latchkey_onboardings_refused_total{reason="SwitchedOff"}': 1 },
    ],
    [
      'an offboarding',
      { what: 'Offboarded', user, namespace: 'ada' },
      { latchkey_users_offboarded_total: 1 },
    ],
  ])('%s', async (_, happening, expected) => {
    metrics.happened(happening);
    expect(await samples()).toMatchObject(expected);
    metrics.happened(happening);
    const twice = await samples();
    for (const [sample, value] of Object.entries(expected)) expect(twice[sample]).toBeCloseTo(value * 2);
  });

  test('and none of it names a user, a session, a token or an address', async () => {
    metrics.observe(QUIET);
    for (const happening of [
      issued(true),
      { what: 'SignIn', outcome: 'SignedIn', address: '192.0.2.1' },
      { what: 'SignedIn', user, session: 'session-of-ada', again: false },
      { what: 'SessionEnded', user, session: 'session-of-ada', cause: CAUSE },
      { what: 'Offboarded', user, namespace: 'namespace-of-ada' },
    ] as const)
      metrics.happened(happening);
    expect(await metrics.scrape()).not.toMatch(/\bada\b|session-of|namespace-of|uid-ada|192\.0\.2\.1/);
  });

  test('requests by verb and code, and watches that broke by resource', async () => {
    metrics.answered('PUT', '200');
    metrics.answered('PUT', '200');
    metrics.answered('PUT', '409');
    metrics.answered('WATCH', 'none');
    metrics.watchBroke('users');
    expect(await samples()).toMatchObject({
      'latchkey_api_requests_total{verb="PUT",code="200"}': 2,
      'latchkey_api_requests_total{verb="PUT",code="409"}': 1,
      'latchkey_api_requests_total{verb="WATCH",code="none"}': 1,
      'latchkey_watch_restarts_total{resource="users"}': 1,
    });
  });
});

test('questions to the directory are counted by kind and outcome, and only whole sweeps are timed', async () => {
  metrics.directory.polled('changes', 'Answered', 20);
  metrics.directory.polled('sweep', 'Answered', 250);
  metrics.directory.polled('sweep', 'LimitExceeded', 4_000);
  metrics.directory.polled('connect', 'BindRefused', 3);
  metrics.directory.requested('page');
  metrics.directory.unusable('SeveralValues');
  expect(await samples()).toMatchObject({
    'latchkey_directory_polls_total{kind="changes",outcome="Answered"}': 1,
    'latchkey_directory_polls_total{kind="sweep",outcome="LimitExceeded"}': 1,
    'latchkey_directory_polls_total{kind="connect",outcome="BindRefused"}': 1,
    'latchkey_directory_requests_total{operation="page"}': 1,
    latchkey_directory_sweep_duration_seconds_count: 1,
    latchkey_directory_sweep_duration_seconds_sum: 0.25,
    'latchkey_directory_values_refused_total{reason="SeveralValues"}': 1,
  });
});

describe('what is, is read when somebody asks', () => {
  test('each figure as it is now', async () => {
    let leading = false;
    let queues = new Map<string, QueueState>();
    let caches = new Map<string, CacheState>();
    let tokens: TokenState = { count: 0, leastRemainingMs: undefined };
    let users = new Map<string, number>();
    let dropped = 0;
    let licenseMs: number | undefined;
    metrics.observe({
      isLeading: () => leading,
      queues: () => queues,
      caches: () => caches,
      tokens: () => tokens,
      users: () => users,
      licenseRemainingMs: () => licenseMs,
      holds: () => new Map([['Deleting', 1]]),
      eventsDropped: () => dropped,
      directoryUsers: () => new Map([['Missing', 2]]),
      directoryAnswers: () => new Map([['sweep', 61_000]]),
    });
    expect(await samples()).toMatchObject({ latchkey_leader: 0, latchkey_tokens: 0 });
    expect(await samples()).not.toHaveProperty('latchkey_license_remaining_seconds');

    leading = true;
    queues = new Map([
      ['users', { depth: 3, oldestWaitingMs: 1_500, failures: new Map([['ApiRefused409', 2]]) }],
    ]);
    caches = new Map<string, CacheState>([
      ['users', { objects: 7, heardMs: 2_000, provenMs: Number.POSITIVE_INFINITY }],
      ['secrets', { objects: 6, heardMs: 500 }],
    ]);
    tokens = { count: 6, leastRemainingMs: 612_000 };
    users = new Map([
      ['Active', 6],
      ['Pending', 1],
    ]);
    dropped = 5;
    licenseMs = -2_000;
    for (let time = 0; time < 2; time++) {
      const found = await samples();
      expect(found).toMatchObject({
        latchkey_leader: 1,
        latchkey_tokens: 6,
        latchkey_token_least_remaining_seconds: 612,
        'latchkey_users{phase="Active"}': 6,
        'latchkey_users{phase="Pending"}': 1,
        'latchkey_holds{cause="Deleting"}': 1,
        'latchkey_queue_depth{loop="users"}': 3,
        'latchkey_queue_oldest_waiting_seconds{loop="users"}': 1.5,
        'latchkey_failures_total{loop="users",code="ApiRefused409"}': 2,
        'latchkey_cache_objects{resource="users"}': 7,
        'latchkey_cache_silent_seconds{resource="secrets"}': 0.5,
        'latchkey_cache_proven_age_seconds{resource="users"}': Number.POSITIVE_INFINITY,
        latchkey_license_remaining_seconds: -2,
        latchkey_events_dropped_total: 5,
        'latchkey_directory_users{state="Missing"}': 2,
        'latchkey_directory_answer_age_seconds{kind="sweep"}': 61,
      });
      expect(found).not.toHaveProperty(['latchkey_cache_proven_age_seconds{resource="secrets"}']);
    }
  });

  test('a token that has expired in its Secret shows as less than nothing', async () => {
    metrics.observe({ ...QUIET, tokens: () => ({ count: 1, leastRemainingMs: -4_000 }) });
    expect(await samples()).toMatchObject({ latchkey_token_least_remaining_seconds: -4 });
  });

  test('without a token there is no least remaining time, rather than one of 0, which would alarm', async () => {
    let tokens: TokenState = { count: 1, leastRemainingMs: 5_000 };
    metrics.observe({ ...QUIET, tokens: () => tokens });
    expect(await samples()).toHaveProperty('latchkey_token_least_remaining_seconds');
    tokens = { count: 0, leastRemainingMs: undefined };
    expect(await samples()).not.toHaveProperty('latchkey_token_least_remaining_seconds');
  });

  test('a phase that no User has any more is gone', async () => {
    let users = new Map([['Suspended', 1]]);
    metrics.observe({ ...QUIET, users: () => users });
    expect(await samples()).toHaveProperty(['latchkey_users{phase="Suspended"}'], 1);
    users = new Map();
    expect(await samples()).not.toHaveProperty(['latchkey_users{phase="Suspended"}']);
  });
});

test('every name follows the conventions of Prometheus: a prefix, a unit, _total for what only grows', async () => {
  metrics.observe(QUIET);
  const types = [...(await metrics.scrape()).matchAll(/^# TYPE (latchkey_\S+) (\S+)$/gm)];
  expect(types.length).toBeGreaterThan(15);
  for (const [, name = '', type] of types) {
    expect({ name, isTotal: name.endsWith('_total') }).toEqual({ name, isTotal: type === 'counter' });
    expect(name).toMatch(/^latchkey_[a-z_]+$/);
    if (/duration|remaining|age|silent|waiting/.test(name)) expect(name).toMatch(/_seconds$/);
  }
});

test('two of them share nothing, and the version and the process are said', async () => {
  const other = createMetrics('9.9.9');
  other.watchBroke('users');
  const found = await samples();
  expect(found).not.toHaveProperty(['latchkey_watch_restarts_total{resource="users"}']);
  expect(found).toMatchObject({ 'latchkey_build_info{version="1.2.3"}': 1 });
  expect(found).toHaveProperty('process_cpu_seconds_total');
});
