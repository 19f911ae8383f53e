// The main job, end to end: an admin makes a User, the user signs in once, and scripts read a fresh token until it is taken away.
import { afterAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { waitUntil } from '../../dev/wait-until.ts';
import type { UserSpec } from '../../src/api/user.ts';
import { cookieOf, startLatchkey } from '../support/latchkey.ts';
import { restartAfter } from '../support/restart.ts';

const PASSWORD = 'correct horse battery staple';
const PEOPLE = [
  'ada',
  'grace',
  'linus',
  'barbara',
  'edsger',
  'donald',
  'alan',
  'tony',
  'ken',
  'dennis',
  'radia',
];
const MINUTE_S = 60;
const DEADLINE_MS = 60_000;
// Every person of this suite signs in from one address, and some try wrong passwords.
const FLAGS = ['--sign-in-attempts-per-address=1000', '--contact=the platform team'];

const latchkey = await startLatchkey({
  accounts: Object.fromEntries(PEOPLE.map((name) => [name, PASSWORD])),
  flags: FLAGS,
});
afterAll(() => latchkey.stop());
const { kubectl } = latchkey;

async function signedIn(name: string, spec: Partial<UserSpec> = {}): Promise<string> {
  await latchkey.createUser(name, spec);
  await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
  const answer = await latchkey.signIn(name, PASSWORD);
  expect(answer.status).toBe(303);
  await latchkey.untilToken(spec.namespace ?? name);
  return cookieOf(answer);
}

const secondsLeft = ({ exp }: { exp?: number }) => (exp ?? 0) - Date.now() / 1_000;

describe('a token', () => {
  test('is not there before the first sign-in, and the Secret says what to do', async () => {
    await latchkey.createUser('ada', {
      displayName: 'Ada Lovelace',
      email: 'ada@example.org',
      groups: ['analytics'],
    });
    const status = await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'NotSignedIn',
      message: expect.stringContaining(latchkey.operator.portal),
    });
    const secret = JSON.parse(await kubectl(['-n', 'ada', 'get', 'secret', 'access-token', '-o', 'json']));
    expect(secret.data).toBeUndefined();
    expect(secret.metadata.annotations['latchkey.dev/reason']).toBe('NotSignedIn');
  });

  test('is there after it, with 10 to 30 minutes to live, and says whose it is', async () => {
    expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
    const { claims } = await latchkey.untilToken('ada');
    expect(secondsLeft(claims)).toBeGreaterThan(10 * MINUTE_S);
    expect(secondsLeft(claims)).toBeLessThanOrEqual(30 * MINUTE_S);
    const { metadata, status } = await latchkey.user('ada');
    expect(claims).toMatchObject({
      iss: latchkey.operator.portal,
      sub: metadata.uid,
      aud: ['latchkey'],
      sid: status?.session?.id,
      preferred_username: 'ada',
      name: 'Ada Lovelace',
      email: 'ada@example.org',
      groups: ['analytics'],
      role: 'member',
      'latchkey.dev/namespace': 'ada',
    });
    await latchkey.untilStatus('ada', ({ phase }) => phase === 'Active');
  });

  test('is read by its user with one command, and by no other user', async () => {
    const ada = await latchkey.as('ada');
    const args = ['-n', 'ada', 'get', 'secret', 'access-token', '-o', 'jsonpath={.data.AUTH_TOKEN}'];
    expect(await ada(args)).not.toBe('');
    const grace = await latchkey.as('grace');
    await expect(grace(args)).rejects.toThrow('forbidden');
    await expect(ada(['-n', 'ada', 'get', 'secrets'])).rejects.toThrow('forbidden');
    await expect(ada(['-n', 'latchkey', 'get', 'secret', 'latchkey-signing-keys'])).rejects.toThrow(
      'forbidden',
    );
  });

  test('verifies by the published keys', async () => {
    const { token } = await latchkey.untilToken('ada');
    const { agentFetch } = await import('../support/agent-fetch.ts');
    const { operator } = latchkey;
    const jwks = createRemoteJWKSet(new URL('/jwks', operator.portal), agentFetch(operator.caFile));
    const { payload } = await jwtVerify(token, jwks, { issuer: operator.portal, audience: 'latchkey' });
    expect(payload.preferred_username).toBe('ada');
  });

  test('is replaced at once when a group changes', async () => {
    await latchkey.patch('users.latchkey.dev ada', { spec: { groups: ['analytics', 'engines'] } });
    await waitUntil('the new group', DEADLINE_MS, async () =>
      ((await latchkey.untilToken('ada')).claims['groups'] as string[]).includes('engines'),
    );
    expect((await latchkey.user('ada')).status?.session).toBeDefined();
  });

  test('costs the API server no account of who set which field', async () => {
    const args = ['-n', 'ada', 'get', 'secret', 'access-token', '--show-managed-fields'];
    expect(await kubectl([...args, '-o', 'jsonpath={.metadata.managedFields}'])).toBe('');
  });
});

describe('the key leaves the Secret', () => {
  test('when an admin disables the user, and comes back only after enabling and signing in', async () => {
    await signedIn('linus');
    await latchkey.patch('users.latchkey.dev linus', { spec: { disabled: true } });
    await latchkey.untilNoToken('linus');
    const refused = await latchkey.signIn('linus', PASSWORD);
    expect(refused.status).toBe(403);
    await latchkey.patch('users.latchkey.dev linus', { spec: { disabled: false } });
    await latchkey.untilStatus('linus', ({ phase }) => phase === 'Pending');
    expect(await latchkey.token('linus')).toBeUndefined();
    expect((await latchkey.signIn('linus', PASSWORD)).status).toBe(303);
    await latchkey.untilToken('linus');
  });

  test('when an admin switches a user off and on faster than anybody can look', async () => {
    await signedIn('ken');
    await latchkey.operator.stop();
    await latchkey.patch('users.latchkey.dev ken', { spec: { disabled: true } });
    await latchkey.patch('users.latchkey.dev ken', { spec: { disabled: false } });
    latchkey.operator.remove();
    const { startOperator } = await import('../../dev/latchkey/operator.ts');
    latchkey.operator = await startOperator(latchkey.cluster, {
      flags: ['--sign-in-attempts-per-address=1000'],
    });
    await latchkey.untilNoToken('ken');
    const { conditions, session } = await latchkey.untilStatus('ken', ({ phase }) => phase === 'Pending');
    expect(session).toBeUndefined();
    expect(conditions?.find(({ type }) => type === 'SignedIn')?.reason).toBe('UnwatchedChange');
  });

  test('when the user ends the access in the portal, who is then signed out everywhere', async () => {
    const cookie = await signedIn('grace');
    const ended = await latchkey.portal('POST', '/end-access', { cookie }, '');
    expect(ended.status).toBe(303);
    await latchkey.untilNoToken('grace');
    const page = await latchkey.portal('GET', '/', { cookie });
    expect(page).toMatchObject({ status: 303, headers: { location: expect.stringContaining('/sign-in') } });
  });

  test('not when the user signs out of the browser', async () => {
    expect((await latchkey.signIn('grace', PASSWORD)).status).toBe(303);
    const before = await latchkey.untilToken('grace');
    const again = cookieOf(await latchkey.signIn('grace', PASSWORD));
    expect((await latchkey.portal('POST', '/sign-out', { cookie: again }, '')).status).toBe(303);
    expect((await latchkey.portal('GET', '/', { cookie: again })).status).toBe(303);
    const after = await latchkey.untilToken('grace');
    // A second sign-in does not kill the token that scripts hold either.
    expect(after.claims['sid']).toBe(before.claims['sid']);
  });
});

describe('what is not Latchkey’s', () => {
  test('is left alone: a namespace that exists, until an admin hands it over, and it outlives the User', async () => {
    await kubectl(['create', 'namespace', 'barbara']);
    await kubectl(['-n', 'barbara', 'create', 'configmap', 'precious']);
    await latchkey.createUser('barbara');
    const status = await latchkey.untilStatus('barbara', ({ phase }) => phase === 'Suspended');
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe('NamespaceNotOurs');
    expect((await latchkey.signIn('barbara', PASSWORD)).status).toBe(403);

    await kubectl(['label', 'namespace', 'barbara', 'latchkey.dev/namespace=handed-over']);
    await latchkey.untilStatus('barbara', ({ phase }) => phase === 'Pending');
    expect((await latchkey.signIn('barbara', PASSWORD)).status).toBe(303);
    await latchkey.untilToken('barbara');

    await kubectl(['delete', 'users.latchkey.dev', 'barbara', '--timeout=60s']);
    await kubectl(['-n', 'barbara', 'get', 'configmap', 'precious']);
    await expect(kubectl(['-n', 'barbara', 'get', 'secret', 'access-token'])).rejects.toThrow('NotFound');
    expect(await kubectl(['-n', 'barbara', 'get', 'rolebindings', '-o', 'name'])).toBe('');
  });

  test('is left alone: a Secret access-token in a namespace that was handed over', async () => {
    await kubectl(['create', 'namespace', 'edsger']);
    await kubectl(['-n', 'edsger', 'create', 'secret', 'generic', 'access-token', '--from-literal=mine=1']);
    await kubectl(['label', 'namespace', 'edsger', 'latchkey.dev/namespace=handed-over']);
    await latchkey.createUser('edsger');
    const status = await latchkey.untilStatus('edsger', ({ phase }) => phase === 'Suspended');
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe('SecretNotOurs');
    await kubectl(['delete', 'users.latchkey.dev', 'edsger', '--timeout=60s']);
    expect(
      await kubectl(['-n', 'edsger', 'get', 'secret', 'access-token', '-o', 'jsonpath={.data.mine}']),
    ).toBe('MQ==');
  });

  test('of two Users that claim one username the older keeps it, and the later one gets it when the older is gone', async () => {
    await signedIn('tony');
    await latchkey.createUser('tony-the-second', { username: 'TONY' });
    const status = await latchkey.untilStatus('tony-the-second', ({ phase }) => phase === 'Suspended');
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe('UsernameTaken');
    await latchkey.untilToken('tony');
    await kubectl(['delete', 'users.latchkey.dev', 'tony', '--timeout=60s']);
    await latchkey.untilStatus('tony-the-second', ({ phase }) => phase === 'Pending');
  });
});

describe('whatever others do to the Secret, the binding and the namespace', () => {
  test('is put right: edits, deletion, immutability, finalizers', async () => {
    interface Found {
      readonly data?: object;
      readonly metadata: { readonly finalizers?: readonly string[] };
      readonly immutable?: boolean;
    }
    await signedIn('donald');
    const good = (await latchkey.untilToken('donald')).claims;
    const isGood = async (what: string) =>
      waitUntil(what, DEADLINE_MS, async () => {
        const found = await latchkey.read<Found>('/api/v1/namespaces/donald/secrets/access-token');
        if (found === undefined) return false;
        const { data, metadata, immutable } = found;
        if (immutable || metadata.finalizers || Object.keys(data ?? {}).join() !== 'AUTH_TOKEN') return false;
        const { claims } = await latchkey.untilToken('donald').catch(() => ({ claims: undefined }));
        return claims?.['sid'] === good['sid'];
      });
    const secret = 'secret access-token -n donald';
    await latchkey.patch(secret, { stringData: { AUTH_TOKEN: 'forged', extra: 'x' } });
    await isGood('an edited Secret');
    await kubectl(['-n', 'donald', 'delete', 'secret', 'access-token']);
    await isGood('a deleted Secret');
    await latchkey.patch(secret, { immutable: true, metadata: { finalizers: ['example.org/mine'] } });
    await isGood('an immutable Secret with a finalizer');
    await kubectl(['-n', 'donald', 'delete', 'rolebinding', 'latchkey-read-access-token']);
    await waitUntil('the RoleBinding', DEADLINE_MS, async () =>
      (await kubectl(['-n', 'donald', 'get', 'rolebindings', '-o', 'name'])).includes(
        'latchkey-read-access-token',
      ),
    );
    await kubectl(['delete', 'namespace', 'donald', '--timeout=60s']);
    await isGood('a deleted namespace');
  });
});

describe('offboarding', () => {
  test('removes the namespace and all in it, and who comes after is somebody else', async () => {
    await signedIn('alan');
    const { claims } = await latchkey.untilToken('alan');
    await kubectl(['delete', 'users.latchkey.dev', 'alan', '--timeout=60s']);
    await expect(kubectl(['get', 'namespace', 'alan'])).rejects.toThrow('NotFound');
    await signedIn('alan');
    expect((await latchkey.untilToken('alan')).claims.sub).not.toBe(claims.sub);
  });

  test('leaves nothing of a User that vanished to the next one in a namespace that was handed over', async () => {
    const replaced = (next: string) =>
      restartAfter(
        latchkey,
        async () => {
          await latchkey.patch('users.latchkey.dev radia', { metadata: { finalizers: null } });
          await kubectl(['delete', 'users.latchkey.dev', 'radia', '--timeout=60s']);
          expect(await latchkey.token('shared')).toBeDefined();
          await latchkey.createUser(next, { namespace: 'shared' });
        },
        { flags: FLAGS },
      );
    const canRead = async (username: string) => {
      const kubectlAs = await latchkey.as(username);
      return kubectlAs(['-n', 'shared', 'get', 'secret', 'access-token', '-o', 'name']);
    };
    await kubectl(['create', 'namespace', 'shared']);
    await kubectl(['label', 'namespace', 'shared', 'latchkey.dev/namespace=handed-over']);
    await signedIn('radia', { namespace: 'shared' });
    const { claims } = await latchkey.untilToken('shared');

    await replaced('radia');
    await latchkey.untilStatus('radia', ({ phase }) => phase === 'Pending');
    expect(await latchkey.token('shared')).toBeUndefined();
    expect((await latchkey.signIn('radia', PASSWORD)).status).toBe(303);
    expect((await latchkey.untilToken('shared')).claims.sub).not.toBe(claims.sub);
    expect(await canRead('radia')).toContain('access-token');

    await replaced('sophie');
    await latchkey.untilStatus('sophie', ({ phase }) => phase === 'Pending');
    expect(await latchkey.token('shared')).toBeUndefined();
    await expect(canRead('radia')).rejects.toThrow('Forbidden');
    expect(await canRead('sophie')).toContain('access-token');
  });

  test('reaches a User that vanished while no operator ran', async () => {
    await signedIn('dennis');
    await kubectl(['-n', 'edsger', 'delete', 'secret', 'access-token']);
    await signedIn('edsger');
    await latchkey.operator.stop();
    await latchkey.patch('users.latchkey.dev dennis', { metadata: { finalizers: null } });
    await latchkey.patch('users.latchkey.dev edsger', { metadata: { finalizers: null } });
    await kubectl(['delete', 'users.latchkey.dev', 'dennis', 'edsger', '--timeout=60s']);
    await kubectl(['get', 'namespace', 'dennis']);
    latchkey.operator.remove();
    const { startOperator } = await import('../../dev/latchkey/operator.ts');
    latchkey.operator = await startOperator(latchkey.cluster, {
      flags: ['--sign-in-attempts-per-address=1000', '--orphan-grace-period=1s'],
    });
    await kubectl(['wait', '--for=delete', 'namespace/dennis', '--timeout=60s']);
    // The token goes from a namespace that was handed over, and the namespace stays.
    await kubectl(['-n', 'edsger', 'wait', '--for=delete', 'secret/access-token', '--timeout=60s']);
    await kubectl(['get', 'namespace', 'edsger']);
    for (const user of ['dennis', 'edsger'])
      await waitUntil('it to be said', DEADLINE_MS, () =>
        latchkey.operator.log().includes(`"event":"TokenRevoked","user":"${user}","reason":"UserGone"`),
      );
  });
});

describe('the policy', () => {
  test('switches everybody off with one write, and everybody signs in again', async () => {
    const before = await latchkey.untilToken('ada');
    expect(before).toBeDefined();
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: false } });
    await Promise.all(['ada', 'grace', 'linus', 'donald'].map((name) => latchkey.untilNoToken(name)));
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: true } });
    await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
    expect(await latchkey.token('ada')).toBeUndefined();
    expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
    const after = await latchkey.untilToken('ada');
    expect(after.claims['sid']).not.toBe(before.claims['sid']);
  });
});

describe('Events', () => {
  /** By Kubernetes' own describe, as an admin reads them: "reason: message" for each. */
  const eventsOf = async (resource: string) => {
    const described = await kubectl(['describe', ...resource.split(' ')]);
    const [, table = ''] = described.split(/^Events:/m);
    return [...table.matchAll(/^ +(?:Normal|Warning) +(\S+) +.*?latchkey\.dev\/operator +(.*)$/gm)].map(
      ([, reason = '', message = '']) => `${reason}: ${message}`,
    );
  };

  test('on a User say that it signed in, and why its session and its token went', async () => {
    const ken = await eventsOf('users.latchkey.dev ken');
    expect(ken).toContainEqual(expect.stringMatching(/^SignedIn: Signed in; a session has begun/));
    expect(ken).toContainEqual(expect.stringMatching(/^SessionEnded: .*\(UnwatchedChange\)/));
    expect(ken).toContainEqual(expect.stringMatching(/^TokenRevoked: .*\(UnwatchedChange\)/));
    const grace = await eventsOf('users.latchkey.dev grace');
    expect(grace).toContainEqual(expect.stringMatching(/^SessionEnded: .*\(EndedByUser\)/));
    expect(grace).toContainEqual(expect.stringMatching(/^SignedIn: Signed in once more/));
    const linus = await eventsOf('users.latchkey.dev linus');
    expect(linus).toContainEqual(expect.stringMatching(/^TokenRevoked: .*\(SwitchedOff\)/));
  });

  test('say of what happens to everybody once, on the TokenPolicy', async () => {
    expect(await eventsOf('tokenpolicy cluster')).toEqual([
      expect.stringMatching(/^EverySessionEnded: .*\(SwitchedOff\)/),
    ]);
    expect((await eventsOf('users.latchkey.dev ada')).join()).not.toContain('TokensSwitchedOff');
  });

  test('outlive a User that was offboarded, and none is about a refresh', async () => {
    const list = await kubectl(['get', 'events.events.k8s.io', '-n', 'default', '-o', 'json']);
    const { items } = JSON.parse(list) as { items: { reason: string; note: string }[] };
    expect(items).toContainEqual(
      expect.objectContaining({ reason: 'Offboarded', note: 'Offboarded from the namespace alan.' }),
    );
    const reasons = ['SignedIn', 'SessionEnded', 'TokenRevoked', 'Offboarded', 'EverySessionEnded'];
    const told = new Set(
      items
        .filter((item) => JSON.stringify(item).includes('latchkey.dev/operator'))
        .map(({ reason }) => reason),
    );
    expect([...told].toSorted()).toEqual(reasons.toSorted());
  });
});

test('the log says which token was revoked, by its number, and of one from before a restart that it cannot', () => {
  const log = latchkey.operator.log();
  const lines = log.split('\n').filter((line) => line.includes('"event":"Token'));
  const told = lines.map((line) => JSON.parse(line) as { event: string; user: string; jti?: string });
  const issued = new Set(told.filter(({ event }) => event === 'TokenIssued').map(({ jti }) => jti));
  const revoked = told.filter(({ event, user }) => event === 'TokenRevoked' && user === 'ada');
  expect(revoked).toHaveLength(1);
  expect(issued).toContain(revoked[0]?.jti);
});

test('no token, password or cookie is in the log', async () => {
  const { token } = await latchkey.untilToken('ada');
  const log = latchkey.operator.log();
  expect(log).toContain('"event":"TokenIssued"');
  expect(log).toContain('"event":"TokenRevoked"');
  expect(log).not.toContain(PASSWORD);
  expect(log).not.toContain(encodeURIComponent(PASSWORD));
  expect(log).not.toContain(token);
  expect(log).not.toMatch(/eyJ[\w-]{10,}\.|__Host-latchkey=|PRIVATE KEY|"d":/);
});
