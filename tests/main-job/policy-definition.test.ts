// `kubectl delete crd tokenpolicies.latchkey.dev`, on a real cluster: no token goes with the one policy until an admin says so.
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { install } from '../../dev/latchkey/install.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { restartAfter } from '../support/restart.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PASSWORD = 'correct horse battery staple';
const FLAGS = ['--token-ttl=60s', '--token-min-remaining=30s'];
const DEADLINE_MS = 60_000;
// Each of them waits for more than one thing; on a busy machine half a minute is soon over.
const CRD = 'crd/tokenpolicies.latchkey.dev';

const latchkey = await startLatchkey({ accounts: { ada: PASSWORD }, flags: FLAGS });
afterAll(() => latchkey.stop());
const { kubectl, cluster, policy } = latchkey;

const command = async (...args: string[]) =>
  (await run(process.execPath, [MAIN, ...args, `--kubeconfig=${cluster.adminKubeconfig}`])).stdout;
const untilHeld = () =>
  waitUntil('a hold', DEADLINE_MS, async () =>
    (await policy()).status?.holds?.find(({ cause }) => cause === 'PolicyCRDDeleting'),
  );
/** A token that is younger, of the same session. */
const untilRefreshed = (before: { claims: Record<string, unknown> }) =>
  waitUntil('a refresh', DEADLINE_MS, async () => {
    const { claims } = await latchkey.untilToken('ada');
    return Number(claims.iat) > Number(before.claims['iat']) && claims['sid'] === before.claims['sid'];
  });

async function signIn() {
  await waitUntil(
    'the sign-in',
    DEADLINE_MS,
    async () => (await latchkey.signIn('ada', PASSWORD)).status === 303,
  );
  return latchkey.untilToken('ada');
}

const restart = (meanwhile: () => Promise<unknown>) => restartAfter(latchkey, meanwhile, { flags: FLAGS });

describe('while the operator runs', () => {
  test('the policy is held, and it is said; tokens are replaced, and sessions go on', async () => {
    await latchkey.createUser('ada');
    await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
    const before = await signIn();
    await kubectl(['delete', CRD, '--wait=false']);
    const hold = await untilHeld();
    expect(hold).toMatchObject({ affected: 1, of: 1, confirmed: false });
    await untilRefreshed(before);
    const { conditions = [] } = (await policy()).status ?? {};
    expect(conditions.find(({ type }) => type === 'Held')).toMatchObject({
      status: 'True',
      reason: 'PolicyCRDDeleting',
      message: expect.stringContaining(`latchkey confirm ${hold.id}`),
    });
    expect(conditions.find(({ type }) => type === 'Ready')?.status).toBe('True');
    expect((await latchkey.metrics())['latchkey_holds{cause="PolicyCRDDeleting"}']).toBe(1);
    await waitUntil('the Event', DEADLINE_MS, async () =>
      (
        await kubectl(['get', 'events.events.k8s.io', '-n', 'default', '-o', 'jsonpath={.items[*].note}'])
      ).includes(hold.id),
    );
  });

  test('a restart forgets none of it', async () => {
    const hold = await untilHeld();
    const before = await latchkey.untilToken('ada');
    await restart(async () => undefined);
    await untilRefreshed(before);
    expect(await untilHeld()).toEqual(hold);
  });

  test('release lets it go, with the tokens; after an installation there is a policy again, and people sign in', async () => {
    expect(await command('release')).toContain('The TokenPolicy is released');
    await kubectl(['wait', '--for=delete', CRD, '--timeout=60s']);
    await latchkey.untilNoToken('ada');
    await install(cluster);
    await signIn();
  });

  test('a policy that is deleted by its name is not asked about: it goes, and every token', async () => {
    await kubectl(['delete', 'tokenpolicy', 'cluster', '--timeout=60s']);
    await latchkey.untilNoToken('ada');
    await latchkey.untilStatus('ada', ({ conditions }) =>
      Boolean(conditions?.some(({ reason }) => reason === 'NoTokenPolicy')),
    );
  });
});

describe('while no operator runs', () => {
  test('it is held as soon as one does, and goes when an admin confirms it', async () => {
    // Made again by a new leader, as on the first day.
    await restart(async () => undefined);
    const before = await signIn();
    await restart(() => kubectl(['delete', CRD, '--wait=false']));
    const { id } = await untilHeld();
    await untilRefreshed(before);
    await command('confirm', id);
    await kubectl(['wait', '--for=delete', CRD, '--timeout=60s']);
    await latchkey.untilNoToken('ada');
  });
});
