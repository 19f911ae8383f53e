// The commands that an admin runs by hand, on a real cluster with a real operator beside them.
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { waitUntil } from '../../dev/wait-until.ts';
import { clockAhead } from '../support/clock-ahead.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { restartAfter } from '../support/restart.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PASSWORD = 'correct horse battery staple';

const latchkey = await startLatchkey({ accounts: { ada: PASSWORD, grace: PASSWORD } });
afterAll(() => latchkey.stop());
const { kubectl } = latchkey;

const command = async (...args: string[]) => commandWith([], args);
const commandWith = async (nodeFlags: readonly string[], args: readonly string[]) => {
  const kubeconfig = `--kubeconfig=${latchkey.cluster.adminKubeconfig}`;
  return (await run(process.execPath, [...nodeFlags, MAIN, ...args, kubeconfig])).stdout;
};

/** By a clock that is ahead by so many milliseconds. */
const commandAhead = async (aheadMs: number, ...args: string[]) => commandWith([clockAhead(aheadMs)], args);
const HOUR_MS = 3_600_000;
const DEADLINE_MS = 60_000;

async function signedIn(name: string): Promise<string> {
  expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  const { claims } = await latchkey.untilToken(name);
  return String(claims['sid']);
}

const restartOperator = (meanwhile: () => Promise<void>) => restartAfter(latchkey, meanwhile);

describe('latchkey revoke', () => {
  test('--user takes one token away, and leaves the others', async () => {
    await latchkey.createUser('ada');
    await latchkey.createUser('grace');
    for (const name of ['ada', 'grace']) await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
    const [before, graces] = [await signedIn('ada'), await signedIn('grace')];
    expect(await command('revoke', '--user=ada')).toContain('has ended');
    await latchkey.untilNoToken('ada');
    expect(await command('revoke', '--user=ada')).toContain('not signed in');
    expect(await signedIn('ada')).not.toBe(before);
    expect((await latchkey.untilToken('grace')).claims['sid']).toBe(graces);
  });

  test('--all takes every token away, and the keys that signed them', async () => {
    const keys = await command('keys', 'list', '--namespace=latchkey');
    await command('revoke', '--all', '--namespace=latchkey');
    await latchkey.untilNoToken('ada');
    await latchkey.untilNoToken('grace');
    const { keys: published } = JSON.parse((await latchkey.portal('GET', '/jwks')).text) as {
      keys: { kid: string }[];
    };
    for (const { kid } of published) expect(keys).not.toContain(kid);
    await signedIn('ada');
  });

  test.each([HOUR_MS, -HOUR_MS])(
    '--all makes keys of today where the clock of whoever runs it is ahead by %d ms',
    async (aheadMs) => {
      const listed = await commandAhead(aheadMs, 'revoke', '--all', '--namespace=latchkey');
      const rows = listed.matchAll(/^(?:active|next) .*? (\d{4}-\d\d-\S+Z)/gm);
      const published = Array.from(rows, ([, at = '']) => Date.parse(at));
      expect(published).toHaveLength(2);
      for (const at of published) expect(Math.abs(at - Date.now())).toBeLessThan(HOUR_MS / 2);
      await latchkey.untilNoToken('ada');
      await signedIn('ada');
    },
  );

  test('--all withdraws the keys also where there is no TokenPolicy', async () => {
    const keys = await command('keys', 'list', '--namespace=latchkey');
    await kubectl(['delete', 'tokenpolicy', 'cluster', '--timeout=60s']);
    const listed = await command('revoke', '--all', '--namespace=latchkey');
    expect(listed).toContain('There is no TokenPolicy');
    for (const [kid = ''] of listed.matchAll(/[\w-]{43}/g)) expect(keys).not.toContain(kid);
    // The next leader makes one.
    await restartOperator(async () => undefined);
    for (const state of ['create', 'condition=Ready'])
      await kubectl(['wait', 'tokenpolicy/cluster', `--for=${state}`, '--timeout=60s']);
    await signedIn('ada');
  });

  test.each([[[]], [['--all', '--user=ada']]])('does nothing when it is called with %j', async (args) => {
    await expect(command('revoke', ...args)).rejects.toMatchObject({ code: 2 });
    await latchkey.untilToken('ada');
  });
});

describe('latchkey keys', () => {
  test('rotate is refused too early also where the clock of whoever runs it says otherwise', async () => {
    await expect(commandAhead(3 * HOUR_MS, 'keys', 'rotate', '--namespace=latchkey')).rejects.toMatchObject({
      stderr: expect.stringContaining('The next key may sign from'),
    });
  });

  test('rotate is refused while the next key has not been published for long enough', async () => {
    await expect(command('keys', 'rotate', '--namespace=latchkey')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/20\d\d-/),
    });
  });
});

describe('after a restored backup', () => {
  test('a namespace whose User came back with another UID is never collected, and adopt hands it over without a session', async () => {
    await signedIn('ada');
    await kubectl(['-n', 'ada', 'create', 'configmap', 'precious']);
    const before = await latchkey.untilStatus('ada', ({ phase }) => phase === 'Active');
    await restartOperator(async () => {
      await latchkey.patch('users.latchkey.dev ada', { metadata: { finalizers: null } });
      await kubectl(['delete', 'users.latchkey.dev', 'ada', '--timeout=60s']);
      await latchkey.createUser('ada');
      // A backup tool may bring the status back too.
      await kubectl(
        ['patch', 'users.latchkey.dev', 'ada', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: before })],
      ); // prettier-ignore
    });
    const status = await latchkey.untilStatus('ada', ({ conditions }) =>
      Boolean(conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'NamespaceOrphaned')),
    );
    expect(status.session).toBeUndefined();
    await kubectl(['-n', 'ada', 'get', 'configmap', 'precious']);

    expect(await command('adopt', '--restored')).toContain('ada: handed to the User ada');
    await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
    await latchkey.untilNoToken('ada');
    await kubectl(['-n', 'ada', 'get', 'configmap', 'precious']);
    await signedIn('ada');
    await waitUntil('the Secret to be the new User’s', DEADLINE_MS, async () => {
      const { metadata } = await latchkey.user('ada');
      const label = 'jsonpath={.metadata.labels.latchkey\\.dev/user-uid}';
      return (await kubectl(['-n', 'ada', 'get', 'secret', 'access-token', '-o', label])) === metadata.uid;
    });
  });

  test('a session that came back with its User does not count', async () => {
    const { status } = await latchkey.user('grace');
    expect(status?.session).toBeUndefined();
    await signedIn('grace');
    // A backup from a moment earlier would say of itself what is waited for below.
    const before = await latchkey.untilStatus('grace', ({ phase }) => phase === 'Active');
    await restartOperator(async () => {
      await latchkey.patch('users.latchkey.dev grace', { metadata: { finalizers: null } });
      await kubectl(['delete', 'users.latchkey.dev', 'grace', '--timeout=60s']);
      await latchkey.createUser('grace');
      const { metadata } = await latchkey.user('grace');
      await latchkey.patch('namespace grace', {
        metadata: { labels: { 'latchkey.dev/user-uid': metadata.uid } },
      });
      await kubectl(
        ['patch', 'users.latchkey.dev', 'grace', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: before })],
      ); // prettier-ignore
    });
    const after = await latchkey.untilStatus('grace', ({ phase }) => phase === 'Pending');
    expect(after.conditions?.find(({ type }) => type === 'SignedIn')?.reason).toBe('RestoredUser');
    await latchkey.untilNoToken('grace');
  });
});
