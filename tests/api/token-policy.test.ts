// What the API server says to a good and to a bad TokenPolicy.
import { afterAll, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../src/api/names.ts';
import { admission, pathOf } from './admission.ts';

const api = await admission();
afterAll(() => api.close());

// Another suite may keep the one policy of the cluster, and what is asked here must not depend on it: a POST is checked
// before the API server looks whether the name is taken, and a server-side apply may be said twice.
const WHOLE = { ttl: '30m', minRemaining: '10m', audiences: ['latchkey'] };

const post = (accessToken: object, name = 'cluster') =>
  api.dryRun({ kind: 'TokenPolicy', metadata: { name }, spec: { accessToken } });

const apply = (spec: object) =>
  api.ask({
    method: 'PATCH',
    path: pathOf('TokenPolicy', 'cluster'),
    query: { dryRun: 'All', fieldManager: 'tests', force: true },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: API_VERSION, kind: 'TokenPolicy', metadata: { name: 'cluster' }, spec },
  });

describe('a good TokenPolicy is taken:', () => {
  test.each<[string, object]>([
    ['the shortest ttl', { ttl: '1m', minRemaining: '30s' }],
    ['the longest ttl', { ttl: '24h' }],
    ['the longest ttl in minutes', { ttl: '1440m' }],
    ['the longest ttl in seconds', { ttl: '86400s', minRemaining: '86370s' }],
    ['the smallest gap', { ttl: '600s', minRemaining: '570s' }],
    ['other audiences', { audiences: ['https://api.example.org', 'queue'] }],
  ])('%s', async (_what, some) => {
    const spec = { enabled: false, accessToken: { ...WHOLE, ...some } };
    await expect(apply(spec)).resolves.toMatchObject({ spec });
  });
});

const DURATION = 'a duration is a whole number of at most 6 digits and one of s, m, h: write for example 30m';
const TTL = 'spec.accessToken.ttl: Invalid value: ttl must be between 1m and 24h: write for example 30m';
const GAP =
  'spec.accessToken.minRemaining: Invalid value: minRemaining must be at least 30s less than ttl: write for example';
const AUDIENCES = 'a token needs an audience: write for example [latchkey]';
const AUDIENCE = 'an audience must not be empty';

describe('how sessions end', () => {
  test('is taken, and has no end by default', async () => {
    const spec = { enabled: false, session: { maxAge: '12h', endOnPasswordChange: true } };
    await expect(apply(spec)).resolves.toMatchObject({ spec });
    await expect(apply({ enabled: false })).resolves.not.toHaveProperty('spec.session');
  });

  test('is refused with what to write instead', async () => {
    const bad = { metadata: { name: 'cluster' }, spec: { session: { maxAge: '1d' } } };
    await expect(api.dryRun({ kind: 'TokenPolicy', ...bad })).resolves.toContain(DURATION);
  });
});

describe('who becomes a User', () => {
  const GROUP = 'name a group by its DN';
  const LONG = `cn=${'g'.repeat(128)},ou=groups,dc=example,dc=org`;

  test('is said by the DNs of groups', async () => {
    const groups = [
      'cn=analytics,ou=groups,dc=example,dc=org',
      'CN=Site Admins, DC=example',
      'cn=ä,o=x',
      LONG,
    ];
    const spec = { enabled: false, onboarding: { groups } };
    const taken = { onboarding: { groups, maxUsers: 1000 } };
    await expect(apply(spec)).resolves.toMatchObject({ spec: taken });
  });

  test.each<[string, object, string]>([
    ['no group', { groups: [] }, 'should have at least 1 items'],
    ['no DN', { groups: ['analytics'] }, GROUP],
    ['a name of Kubernetes', { groups: ['cn=system:masters,o=x'] }, GROUP],
    ['two names in one', { groups: ['cn=a\\,b,o=x'] }, GROUP],
    ['a part of two values', { groups: ['cn=a+sn=b,o=x'] }, GROUP],
    ['a line break', { groups: ['cn=a,o=x\ny'] }, GROUP],
    ['a name that is too long', { groups: [LONG.replace('cn=', 'cn=g')] }, GROUP],
    ['a group twice', { groups: ['cn=a,o=x', 'cn=a,o=x'] }, 'Duplicate value'],
    ['nobody', { groups: ['cn=a,o=x'], maxUsers: 0 }, 'should be greater than or equal to 1'],
    [
      'too many groups',
      { groups: Array.from({ length: 17 }, (_, i) => `cn=g${i},o=x`) },
      'must have at most 16',
    ],
  ])('is not said by %s', async (_, bad, message) => {
    const spec = { onboarding: bad };
    const policy = { kind: 'TokenPolicy', metadata: { name: 'cluster' }, spec } as const;
    await expect(api.dryRun(policy)).resolves.toContain(message);
  });
});

describe('a bad TokenPolicy is refused with what to write instead:', () => {
  test.each<[string, object, string]>([
    ['days', { ttl: '90d' }, DURATION],
    ['two units', { ttl: '1h30m' }, DURATION],
    ['nought', { ttl: '0s' }, DURATION],
    ['nought left', { minRemaining: '0m' }, DURATION],
    ['no unit', { ttl: '30' }, DURATION],
    ['a fraction', { ttl: '1.5h' }, DURATION],
    ['a negative one', { ttl: '-30m' }, DURATION],
    ['a space', { ttl: '30 m' }, DURATION],
    ['a line break at the end', { ttl: '30m\n' }, DURATION],
    ['an empty one', { ttl: '' }, DURATION],
    ['one that CEL cannot count', { ttl: '99999999999h' }, DURATION],
    ['a floor that CEL cannot count', { minRemaining: '99999999999h' }, DURATION],
    ['a number', { ttl: 30 }, 'must be of type string'],
    ['a ttl that is too short', { ttl: '59s', minRemaining: '10s' }, TTL],
    ['a ttl that is too long', { ttl: '25h' }, TTL],
    ['minRemaining that is the ttl', { ttl: '10m' }, GAP],
    ['minRemaining above the ttl', { minRemaining: '1h' }, GAP],
    ['a gap of 29 s', { ttl: '10m', minRemaining: '571s' }, GAP],
    ['no audience', { audiences: [] }, AUDIENCES],
    ['an empty audience', { audiences: [''] }, AUDIENCE],
    ['an audience twice', { audiences: ['a', 'a'] }, 'Duplicate value: "a"'],
    ['a field that does not exist', { TTL: '30m' }, 'unknown field "spec.accessToken.TTL"'],
  ])('%s', async (_what, accessToken, message) => {
    await expect(post(accessToken)).resolves.toContain(message);
  });

  test('one whose ttl is not above the floor that is the default, or the other way round', async () => {
    await expect(post({ ttl: '629s' })).resolves.toContain(GAP);
    await expect(post({ minRemaining: '1771s' })).resolves.toContain(GAP);
  });

  test('a typing error gives one message, not a second one that follows from it', async () => {
    const message = await post({ ttl: '90d', minRemaining: '10m' });
    expect(message).toContain(DURATION);
    expect(message).not.toContain('must be between');
    expect(message).not.toContain('less than ttl');
    expect(message).not.toContain('evaluating rule');
  });

  test('a second policy under another name', async () => {
    await expect(post({}, 'other')).resolves.toContain(
      'there is one TokenPolicy, and its name is cluster: edit that one',
    );
  });
});
