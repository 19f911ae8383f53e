// AUTH_TOKEN as a token of Kubernetes itself: given on sign-in, replaced in time, and dead within the API server's cache.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { latchkeyCommand } from '../../../dev/latchkey/command.ts';
import { startOperator } from '../../../dev/latchkey/operator.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { kubernetesClient } from '../../../src/kubernetes/client.ts';
import { loadConnection } from '../../../src/kubernetes/credentials.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
/** The cache of the API server for tokens of its own (kubeapiserver/authenticator/config.go). */
const CACHED_MS = 10_000;
/** Kubernetes gives no less than 600 s; replaced at 45 to 75 % of 40 s. */
const ACCESS_TOKEN = { ttl: '600s', minRemaining: '560s', audiences: ['latchkey'] };
const CYCLE_MS = 60_000;
const DEADLINE_MS = 60_000;

const latchkey = await startLatchkey({ accounts: { ada: PASSWORD, grace: PASSWORD } });
// Asked again and again; a kubectl for each time would take half of the machine.
const admin = kubernetesClient(await loadConnection(latchkey.cluster.adminKubeconfig));
afterAll(async () => {
  await admin.close();
  await latchkey.stop();
});
const { kubectl, cluster } = latchkey;
const command = latchkeyCommand(cluster.adminKubeconfig);

interface Review {
  readonly authenticated?: boolean;
  readonly audiences?: readonly string[];
  readonly user: { readonly username?: string };
}

/** What the API server itself says of a token. */
async function review(token: string, audience = 'latchkey'): Promise<Review> {
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [audience] },
  };
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  return (await admin.request<{ status: Review }>({ method: 'POST', path, body })).status;
}
const isGood = async (token: string) => (await review(token)).authenticated === true;
const untilDead = (token: string) =>
  waitUntil('the API server to refuse the token', CACHED_MS + 3_000, async () => !(await isGood(token)));

async function signIn(name: string): Promise<string> {
  await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending' || phase === 'Active');
  // 503 says: try again. A busy machine may be that slow.
  await waitUntil('the sign-in', DEADLINE_MS, async () => {
    const { status } = await latchkey.signIn(name, PASSWORD);
    expect([303, 503]).toContain(status);
    return status === 303;
  });
  await latchkey.untilStatus(name, ({ conditions }) =>
    Boolean(conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')),
  );
  return (await latchkey.untilToken(name)).token;
}
const anchor = async (namespace: string) =>
  JSON.parse(await kubectl(['-n', namespace, 'get', 'secret', 'access-token-binding', '-o', 'json']));
const hasAnchor = (namespace: string) =>
  anchor(namespace).then(
    () => true,
    (error: unknown) => {
      if (String(error).includes('NotFound')) return false;
      throw error;
    },
  );

beforeAll(async () => {
  await latchkey.patch('tokenpolicy cluster', {
    spec: { tokenSource: 'Kubernetes', accessToken: ACCESS_TOKEN },
  });
  for (const name of ['ada', 'grace']) await latchkey.createUser(name);
});

describe('with tokenSource: Kubernetes', () => {
  test('a sign-in brings a token that the API server itself vouches for, to its audience alone', async () => {
    const token = await signIn('ada');
    expect(decodeJwt(token)).toMatchObject({
      aud: ['latchkey'],
      sub: 'system:serviceaccount:ada:access-token',
    });
    expect(await review(token)).toMatchObject({
      authenticated: true,
      audiences: ['latchkey'],
      user: { username: 'system:serviceaccount:ada:access-token' },
    });
    expect((await review(token, 'elsewhere')).authenticated).toBeFalsy();
    const { data, metadata } = await anchor('ada');
    expect(data).toBeUndefined();
    expect(metadata.finalizers).toBeUndefined();
  });

  test('its bearer may do nothing: least of all read the Secret that it lies in', async () => {
    const tries = [['get', 'secret', 'access-token'], ['get', 'secrets'], ['create', 'token', 'access-token'], ['get', 'pods']];
    for (const what of tries)
      await expect(
        kubectl([...what, '-n', 'ada', '--as=system:serviceaccount:ada:access-token', '--as-group=system:serviceaccounts:ada']),
      ).rejects.toThrow(/cannot (get|list|create) resource/);
    const account = await kubectl(['-n', 'ada', 'get', 'serviceaccount', 'access-token', '-o', 'jsonpath={.automountServiceAccountToken}']);
    expect(account).toBe('false');
  }); // prettier-ignore

  test('it is replaced in time, by one on the same anchor, and never stands below the floor; with a ServiceAccount made anew where somebody has deleted it', async () => {
    await signIn('grace');
    await Promise.all([isReplaced('ada'), isMadeAnew('grace')]);

    async function isReplaced(name: string): Promise<void> {
      const first = await latchkey.untilToken(name);
      const { metadata } = await anchor(name);
      const second = await waitUntil('the next token', CYCLE_MS, async () => {
        const found = await latchkey.untilToken(name);
        expect((found.claims.exp ?? 0) * 1_000 - Date.now()).toBeGreaterThan(560_000 - 2_000);
        return found.token !== first.token && found;
      });
      expect(await isGood(second.token)).toBe(true);
      expect(await isGood(first.token)).toBe(true);
      expect((await anchor(name)).metadata.uid).toBe(metadata.uid);
    }

    async function isMadeAnew(name: string): Promise<void> {
      const { token: before } = await latchkey.untilToken(name);
      await kubectl(['-n', name, 'delete', 'serviceaccount', 'access-token']);
      const after = await waitUntil('the next token', CYCLE_MS, async () => {
        const { token } = await latchkey.untilToken(name);
        return token !== before && token;
      });
      expect(await isGood(after)).toBe(true);
    }
  });

  /** The cache is waited for by all of them side by side. */
  async function isDeadAfter(
    name: string,
    revoke: () => Promise<unknown>,
    restore: () => Promise<unknown>,
  ): Promise<void> {
    const before = await signIn(name);
    expect(await isGood(before)).toBe(true);
    await revoke();
    await latchkey.untilNoToken(name);
    await untilDead(before);
    await waitUntil('the anchor to be gone', DEADLINE_MS, async () => !(await hasAnchor(name)));
    await restore();
    const after = await signIn(name);
    expect(await isGood(after)).toBe(true);
    expect(await isGood(before)).toBe(false);
  }

  test('every token that was given is dead within the cache of the API server when an admin ends the session, or switches the user off', async () => {
    const setDisabled = (disabled: boolean) =>
      latchkey.patch('users.latchkey.dev grace', { spec: { disabled } });
    await Promise.all([
      isDeadAfter(
        'ada',
        () => command('revoke', '--user=ada'),
        async () => undefined,
      ),
      isDeadAfter(
        'grace',
        () => setDisabled(true),
        () => setDisabled(false),
      ),
    ]);
  });

  test('so it is when an admin switches everybody off', async () => {
    const setEnabled = (enabled: boolean) => latchkey.patch('tokenpolicy cluster', { spec: { enabled } });
    await isDeadAfter(
      'ada',
      () => setEnabled(false),
      () => setEnabled(true),
    );
  });

  test('so it is where the operator was away when the session ended and another began', async () => {
    const before = await signIn('ada');
    await latchkey.operator.stop();
    latchkey.operator.remove();
    const { status } = await latchkey.user('ada');
    const session = { ...status?.session, id: 'another-session' };
    const patch = JSON.stringify({ status: { session } });
    await kubectl([
      'patch',
      'users.latchkey.dev',
      'ada',
      '--subresource=status',
      '--type=merge',
      '-p',
      patch,
    ]);
    latchkey.operator = await startOperator(cluster);
    const { token } = await waitUntil('another token', DEADLINE_MS, async () => {
      const found = await latchkey.untilToken('ada');
      return found.token !== before && found;
    });
    expect(await isGood(token)).toBe(true);
    await untilDead(before);
  });

  test('an anchor that somebody deletes, or puts a finalizer on, is made anew, and so is the token', async () => {
    const first = await signIn('ada');
    await kubectl(['-n', 'ada', 'delete', 'secret', 'access-token-binding']);
    const second = await waitUntil('another token', DEADLINE_MS, async () => {
      const { token } = await latchkey.untilToken('ada');
      return token !== first && token;
    });
    expect(await isGood(second)).toBe(true);
    const { metadata } = await anchor('ada');
    await latchkey.patch('-n ada secret access-token-binding', {
      metadata: { finalizers: ['example.org/keep'] },
    });
    await waitUntil('another anchor', DEADLINE_MS, async () => {
      const now = await anchor('ada').catch(() => undefined);
      return now !== undefined && now.metadata.uid !== metadata.uid && !now.metadata.finalizers;
    });
    const third = await waitUntil('another token', DEADLINE_MS, async () => {
      const { token } = await latchkey.untilToken('ada');
      return token !== second && token;
    });
    expect(await isGood(third)).toBe(true);
  });

  test('the policy may change its mind: tokens of Latchkey again, and those of Kubernetes are dead', async () => {
    const before = await signIn('grace');
    await latchkey.patch('tokenpolicy cluster', { spec: { tokenSource: 'Latchkey' } });
    await waitUntil('a token of Latchkey', DEADLINE_MS, async () => {
      const { claims } = await latchkey.untilToken('grace');
      return claims.iss === latchkey.operator.portal;
    });
    await untilDead(before);
    expect(await hasAnchor('grace')).toBe(false);
  });

  test('a policy that asks for less than Kubernetes gives is refused, with what to write instead', async () => {
    const patch = { spec: { tokenSource: 'Kubernetes', accessToken: { ttl: '5m', minRemaining: '1m' } } };
    await expect(latchkey.patch('tokenpolicy cluster', patch)).rejects.toThrow('for less than 10m');
  });
});

test('offboarding leaves nothing that a token could hang on', async () => {
  await latchkey.patch('tokenpolicy cluster', { spec: { tokenSource: 'Kubernetes' } });
  const token = await waitUntil('a token of Kubernetes', DEADLINE_MS, async () => {
    const found = await latchkey.untilToken('grace');
    return String(found.claims.sub).startsWith('system:serviceaccount:') && found.token;
  });
  await kubectl(['delete', 'users.latchkey.dev', 'grace', '--timeout=60s']);
  await untilDead(token);
});

describe('in a namespace that was handed over', () => {
  const untilAnchored = (name: string) =>
    latchkey.untilStatus(name, ({ anchorUID }) => anchorUID !== undefined);

  beforeAll(async () => {
    await kubectl(['create', 'namespace', 'hopper']);
    await kubectl(['label', 'namespace', 'hopper', 'latchkey.dev/namespace=handed-over']);
    await latchkey.createUser('eve', { username: 'grace', namespace: 'hopper' });
    await latchkey.untilStatus('eve', ({ phase }) => phase === 'Pending');
  });

  async function signInEve(): Promise<string> {
    await waitUntil(
      'the sign-in',
      DEADLINE_MS,
      async () => (await latchkey.signIn('grace', PASSWORD)).status === 303,
    );
    await untilAnchored('eve');
    return (await latchkey.untilToken('hopper')).token;
  }

  test('whoever takes the labels off the anchor keeps no token alive', async () => {
    const token = await signInEve();
    await kubectl(['-n', 'hopper', 'label', 'secret', 'access-token-binding', 'latchkey.dev/user-uid-']);
    await command('revoke', '--user=eve');
    await untilDead(token);
    await waitUntil('the anchor to be gone', DEADLINE_MS, async () => !(await hasAnchor('hopper')));
  });

  test('a User that vanishes while no operator runs leaves no token alive', async () => {
    const token = await signInEve();
    await latchkey.operator.stop();
    latchkey.operator.remove();
    await latchkey.patch('users.latchkey.dev eve', { metadata: { finalizers: null } });
    await kubectl(['delete', 'users.latchkey.dev', 'eve', '--timeout=60s']);
    expect(await hasAnchor('hopper')).toBe(true);
    latchkey.operator = await startOperator(cluster);
    await waitUntil('the anchor to be gone', DEADLINE_MS, async () => !(await hasAnchor('hopper')));
    await untilDead(token);
  });
});
