// What an admin sees who watches Latchkey: its metrics on an ordinary day, and its health when it is cut off.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const PASSWORD = 'correct horse battery staple';
/** A replica says that it is cut off 15 s after the first proof that did not come; a loaded machine takes longer. */
const NOTICED_MS = 60_000;

let proxy: TcpProxy;
const latchkey = await startLatchkey({
  accounts: { ada: PASSWORD, grace: PASSWORD },
  async apiServer(url) {
    proxy = await startTcpProxy(Number(new URL(url).port));
    return `https://127.0.0.1:${proxy.port}`;
  },
});
afterAll(async () => {
  await latchkey.stop();
  await proxy.close();
});

const health = async (path: '/livez' | '/readyz') => {
  const { status, text } = await latchkey.portal('GET', path);
  return `${status} ${text.trim()}`;
};
const untilHealth = (path: '/livez' | '/readyz', expected: string) =>
  waitUntil(`${path} to say ${expected}`, NOTICED_MS, async () => (await health(path)) === expected);

describe('on an ordinary day', () => {
  beforeAll(async () => {
    for (const name of ['ada', 'grace']) {
      await latchkey.createUser(name);
      await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
    }
  });

  test('without a token, none is said to be short of time', async () => {
    const metrics = await latchkey.metrics();
    expect(metrics).toMatchObject({
      latchkey_leader: 1,
      latchkey_tokens: 0,
      'latchkey_users{phase="Pending"}': 2,
      'latchkey_cache_objects{resource="users"}': 2,
      'latchkey_build_info{version="0.1.0"}': 1,
    });
    expect(metrics).not.toHaveProperty('latchkey_token_least_remaining_seconds');
  });

  test('a wrong password, two sign-ins, a refresh and a revocation each count', async () => {
    expect((await latchkey.signIn('ada', 'wrong')).status).toBe(401);
    for (const name of ['ada', 'grace']) {
      expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
      await latchkey.untilToken(name);
    }
    const { latchkey_token_least_remaining_seconds: least, ...metrics } = await latchkey.metrics();
    expect(least).toBeGreaterThan(29 * 60);
    expect(least).toBeLessThanOrEqual(30 * 60);
    expect(metrics).toMatchObject({
      latchkey_tokens: 2,
      'latchkey_sign_ins_total{outcome="Refused"}': 1,
      'latchkey_sign_ins_total{outcome="SignedIn"}': 2,
      'latchkey_tokens_issued_total{occasion="first"}': 2,
    });

    // Another claim, so another token in the place of the first.
    await latchkey.patch('users.latchkey.dev grace', { spec: { groups: ['engines'] } });
    await latchkey.patch('users.latchkey.dev ada', { spec: { disabled: true } });
    await latchkey.untilNoToken('ada');
    await waitUntil('the counts', NOTICED_MS, async () => {
      const now = await latchkey.metrics();
      return (
        now['latchkey_tokens_issued_total{occasion="refresh"}'] === 1 &&
        now['latchkey_token_refresh_duration_seconds_count'] === 1 &&
        now['latchkey_tokens_revoked_total{reason="SwitchedOff"}'] === 1 &&
        now['latchkey_sessions_ended_total{reason="SwitchedOff"}'] === 1 &&
        now['latchkey_tokens'] === 1
      );
    });
  });

  test('every request is counted with its verb and code, and every cache has heard of its watch', async () => {
    const metrics = await latchkey.metrics();
    const requests = Object.entries(metrics).filter(([name]) =>
      name.startsWith('latchkey_api_requests_total'),
    );
    for (const expected of ['verb="WATCH",code="200"', 'verb="PUT",code="200"', 'verb="POST",code="201"'])
      expect(requests.map(([name]) => name).join()).toContain(expected);
    for (const resource of ['users', 'tokenpolicies', 'namespaces', 'secrets', 'rolebindings'])
      expect(metrics[`latchkey_cache_silent_seconds{resource="${resource}"}`]).toBeLessThan(90);
  });

  test('the process is alive and ready', async () => {
    expect(await health('/livez')).toBe('200 ok');
    expect(await health('/readyz')).toBe('200 ok');
  });
});

describe('cut off from the API server', () => {
  test('by a firewall that forgets connections, it is not ready, says why, and a restart is not asked for', async () => {
    proxy.freezeAll();
    await untilHealth('/readyz', '503 failed: api-server, signing-keys, callers');
    expect(await health('/livez')).toBe('200 ok');
    const metrics = await latchkey.metrics();
    expect(metrics['latchkey_cache_proven_age_seconds{resource="users"}']).toBeGreaterThan(10);
    expect(metrics['latchkey_leader']).toBe(0);
    proxy.thaw();
    await untilHealth('/readyz', '200 ok');
  });

  test('by an API server that has stopped, the same, and the unanswered requests are counted', async () => {
    await latchkey.cluster.stopApiServer();
    await untilHealth('/readyz', '503 failed: api-server, signing-keys, callers');
    expect(await health('/livez')).toBe('200 ok');
    const metrics = await latchkey.metrics();
    const unanswered = Object.entries(metrics).filter(([name]) => name.endsWith('code="none"}'));
    expect(unanswered.length).toBeGreaterThan(0);
    const broken = Object.entries(metrics).filter(([name]) =>
      name.startsWith('latchkey_watch_restarts_total'),
    );
    expect(broken.length).toBeGreaterThan(3);
    await latchkey.cluster.restartApiServer();
    await untilHealth('/readyz', '200 ok');
  });

  test('once it is back, it leads and works again', async () => {
    await waitUntil('a leader', 60_000, async () => (await latchkey.metrics())['latchkey_leader'] === 1);
    await latchkey.patch('users.latchkey.dev ada', { spec: { disabled: false } });
    await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
    expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
    await latchkey.untilToken('ada');
  });
});
