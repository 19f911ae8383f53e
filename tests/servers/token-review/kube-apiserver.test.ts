// A real kube-apiserver that asks Latchkey about every bearer token, as kubectl --token meets it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { runKubectl } from '../../../dev/cluster/kubectl.ts';
import { webhookFlags } from '../../../dev/latchkey/webhook.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { latchkeyCommand } from '../../../dev/latchkey/command.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { whoAmI as whoAmIAt } from '../../support/who-am-i.ts';

const PASSWORD = 'correct horse battery staple';
const AUDIENCE = 'https://kubernetes.default.svc.cluster.local';
/** No flag removes it (kubeapiserver/authenticator/config.go, NewAuthenticator). */
const OWN_CACHE_MS = 10_000;
const DEADLINE_MS = 60_000;

const latchkey = await startLatchkey({ accounts: { ada: PASSWORD, grace: PASSWORD } });
const { kubectl, cluster } = latchkey;
const apiServer = whoAmIAt(cluster);
afterAll(async () => {
  await apiServer.close();
  await latchkey.stop();
});
const command = latchkeyCommand(cluster.adminKubeconfig);

beforeAll(async () => {
  const callerToken = await command('callers', 'add', 'kube-apiserver', '--namespace=latchkey');
  await cluster.restartApiServer({
    apiServerFlags: webhookFlags({
      file: join(cluster.folder, 'webhook.kubeconfig'),
      url: `${latchkey.operator.portal}/token-review`,
      caFile: latchkey.operator.caFile,
      callerToken: callerToken.trim(),
      cacheTtl: '0s',
    }),
  });
  await latchkey.patch('tokenpolicy cluster', {
    spec: { accessToken: { audiences: ['latchkey', AUDIENCE] } },
  });
  for (const name of ['ada', 'grace']) {
    await latchkey.createUser(name, { groups: ['analytics'] });
    await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
    expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  }
});

/** kubectl with the token as its only credential. */
function withToken(token: string, ...args: string[]): Promise<string> {
  const server = ['--server', cluster.url, '--certificate-authority', cluster.caFile];
  const credentials = [...server, `--token=${token}`];
  return runKubectl({
    kubectl: cluster.binaries.kubectl,
    kubeconfig: '/dev/null',
    args: [...credentials, ...args],
  });
}

async function whoAmI(token: string): Promise<Record<string, unknown>> {
  const { status } = JSON.parse(await withToken(token, 'auth', 'whoami', '-o', 'json'));
  return status.userInfo;
}

const UNAUTHORIZED = /Unauthorized|must be logged in/;
const isRefused = (token: string) =>
  whoAmI(token).then(
    () => false,
    (error: unknown) => {
      if (UNAUTHORIZED.test(String(error))) return true;
      throw error;
    },
  );

/** Asked again and again; a kubectl for each time would take half of the machine. */
async function untilRefused(token: string, timeoutMs: number): Promise<void> {
  await waitUntil('the refusal', timeoutMs, async () => (await apiServer.ask(token)) === undefined);
  expect(await isRefused(token)).toBe(true);
}

describe('kubectl --token', () => {
  test('is the user of now, under the prefix', async () => {
    const { token, claims } = await latchkey.untilToken('ada');
    expect(await whoAmI(token)).toEqual({
      username: 'latchkey:ada',
      uid: claims.sub,
      groups: ['latchkey:analytics', 'system:authenticated'],
      extra: {
        'latchkey.dev/jti': [claims.jti],
        'latchkey.dev/sid': [claims['sid']],
        'latchkey.dev/role': ['member'],
      },
    });
  });

  test('does not open the Secret that the token lies in', async () => {
    const { token } = await latchkey.untilToken('ada');
    await expect(withToken(token, '-n', 'ada', 'get', 'secret', 'access-token')).rejects.toThrow(
      'User "latchkey:ada" cannot get resource "secrets"',
    );
  });

  test('follows a change of groups and role, and AUTH_TOKEN is written anew at once', async () => {
    const before = await latchkey.untilToken('ada');
    await latchkey.patch('users.latchkey.dev ada', { spec: { groups: ['physics'], role: 'admin' } });
    const after = await waitUntil('another token', DEADLINE_MS, async () => {
      const found = await latchkey.untilToken('ada');
      return found.token !== before.token && found;
    });
    expect(after.claims).toMatchObject({ groups: ['physics'], role: 'admin', sid: before.claims['sid'] });
    // The token of before says what it said; its bearer is who she is.
    await waitUntil('the groups of now', OWN_CACHE_MS + 2_000, async () => {
      const { groups = [] } = (await apiServer.ask(before.token)) ?? {};
      return groups.includes('latchkey:physics') && !groups.includes('latchkey:analytics');
    });
  });

  test('is refused for a token whose audience is not the API server', async () => {
    await latchkey.patch('tokenpolicy cluster', { spec: { accessToken: { audiences: ['latchkey'] } } });
    const { token } = await waitUntil('a token for others', DEADLINE_MS, async () => {
      const found = await latchkey.untilToken('grace');
      return !String(found.claims.aud).includes(AUDIENCE) && found;
    });
    expect(await isRefused(token)).toBe(true);
    await latchkey.patch('tokenpolicy cluster', {
      spec: { accessToken: { audiences: ['latchkey', AUDIENCE] } },
    });
    await waitUntil('a token for the API server', DEADLINE_MS, async () =>
      String((await latchkey.untilToken('grace')).claims.aud).includes(AUDIENCE),
    );
  });

  test.each([
    [
      'an admin switches the user off',
      async () => latchkey.patch('users.latchkey.dev ada', { spec: { disabled: true } }),
    ],
    ['an admin ends the session', async () => command('revoke', '--user=ada')],
    ['the user is deleted', async () => kubectl(['delete', 'users.latchkey.dev', 'ada'])],
  ])('is refused within the API server’s own cache when %s', async (_, revoke) => {
    const { token } = await latchkey.untilToken('ada');
    expect(await isRefused(token)).toBe(false);
    await revoke();
    await untilRefused(token, OWN_CACHE_MS + 2_000);
    if (!(await kubectl(['get', 'users.latchkey.dev', '-o', 'name'])).includes('/ada')) return;
    await latchkey.patch('users.latchkey.dev ada', { spec: { disabled: false } });
    await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
    expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
    // A no is not kept: the next token is asked about at once.
    expect(await isRefused((await latchkey.untilToken('ada')).token)).toBe(false);
  });

  test('is refused for what is no token of ours', async () => {
    const { token } = await latchkey.untilToken('grace');
    const [head, body, signature = ''] = token.split('.');
    for (const forged of ['x', `${head}.${body}.${signature.toUpperCase()}`, `${head}.${body}.`])
      expect(await isRefused(forged)).toBe(true);
    expect(await isRefused(token)).toBe(false);
  });

  test('TokenReviews of services are passed on, with their audience', async () => {
    const { token } = await latchkey.untilToken('grace');
    const review = async (...audiences: string[]) => {
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences },
      };
      return JSON.parse(await kubectl(['create', '-o', 'json', '-f', '-'], JSON.stringify(body))).status;
    };
    expect(await review('latchkey', 'elsewhere')).toMatchObject({
      authenticated: true,
      audiences: ['latchkey'],
      user: { username: 'latchkey:grace' },
    });
    expect(await review('elsewhere')).not.toHaveProperty('authenticated', true);
  });
});

test('a caller that is removed is no longer answered, and its API server lets nobody in by a token', async () => {
  const { token } = await latchkey.untilToken('grace');
  expect(await isRefused(token)).toBe(false);
  await command('callers', 'remove', 'kube-apiserver', '--namespace=latchkey');
  await untilRefused(token, OWN_CACHE_MS + 5_000);
});
