// `kubectl delete crd users.latchkey.dev`, on a real cluster: nobody is offboarded, and there are two ways out of it.
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
const PEOPLE = ['ada', 'grace', 'linus'];
const CRD = 'crd/users.latchkey.dev';

const latchkey = await startLatchkey({ accounts: { ada: PASSWORD }, flags: FLAGS });
afterAll(() => latchkey.stop());
const { kubectl, cluster } = latchkey;

const command = async (...args: string[]) =>
  (await run(process.execPath, [MAIN, ...args, `--kubeconfig=${cluster.adminKubeconfig}`])).stdout;
const holdsNow = async () => (await latchkey.policy()).status?.holds ?? [];
const untilHeld = (cause: string) =>
  waitUntil(`a hold for ${cause}`, DEADLINE_MS, async () =>
    (await holdsNow()).find((hold) => hold.cause === cause && hold.affected === PEOPLE.length),
  );
const precious = () =>
  Promise.all(PEOPLE.map((name) => kubectl(['-n', name, 'get', 'configmap', 'precious', '-o', 'name'])));

async function createUsers(): Promise<void> {
  for (const name of PEOPLE) await latchkey.createUser(name);
}

async function signIn(): Promise<void> {
  expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('ada');
}

const restart = (meanwhile: () => Promise<unknown>) => restartAfter(latchkey, meanwhile, { flags: FLAGS });

describe('while the operator runs', () => {
  test('all are held, though they are three, with a session and a token that stays fresh', async () => {
    await createUsers();
    for (const name of PEOPLE) {
      await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
      await kubectl(['-n', name, 'create', 'configmap', 'precious']);
    }
    await signIn();
    const before = await latchkey.untilToken('ada');
    await expect(command('release')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not being deleted'),
    });
    await kubectl(['delete', CRD, '--wait=false']);
    const { id } = await untilHeld('CRDDeleting');
    const status = await latchkey.untilStatus('ada', ({ hold }) => hold === id);
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'True',
      reason: 'Held',
    });
    await waitUntil('a refresh', DEADLINE_MS, async () => {
      const { claims } = await latchkey.untilToken('ada');
      return (claims.iat ?? 0) > (before.claims.iat ?? 0) && claims['sid'] === before.claims['sid'];
    });
    await precious();
  });

  test('release lets the definition go and keeps the namespaces, which an operator that starts then does not collect', async () => {
    expect(await command('release')).toContain('3 of 3 Users are released');
    await kubectl(['wait', '--for=delete', CRD, '--timeout=30s']);
    await expect(command('release')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not being deleted'),
    });
    await untilHeld('Vanished');
    await precious();
    await restart(async () => undefined);
    await untilHeld('Vanished');
    await latchkey.untilNoToken('ada');
    await precious();
    // It goes on by itself, and it does not spin: a line or two for each watch and each of its tries.
    const lines = latchkey.operator.log().split('\n').length;
    expect(lines).toBeLessThan(200);
  });

  test('once it is back, adopt hands the namespaces to the Users of today, who sign in again', async () => {
    await install(cluster);
    await createUsers();
    for (const name of PEOPLE)
      await latchkey.untilStatus(name, ({ conditions }) =>
        Boolean(conditions?.some(({ reason }) => reason === 'NamespaceOrphaned')),
      );
    await precious();
    expect(await command('adopt', '--restored')).toContain('3 of 3 orphaned namespaces');
    for (const name of PEOPLE) await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
    await signIn();
    await waitUntil('the end of the hold', DEADLINE_MS, async () => (await holdsNow()).length === 0);
    await precious();
  });
});

describe('while no operator runs', () => {
  test('all are held as soon as one does, and go when an admin confirms it', async () => {
    await restart(() => kubectl(['delete', CRD, '--wait=false']));
    const { id } = await untilHeld('CRDDeleting');
    await latchkey.untilToken('ada');
    await precious();
    await command('confirm', id);
    await kubectl(['wait', '--for=delete', CRD, '--timeout=60s']);
    for (const name of PEOPLE) await kubectl(['wait', '--for=delete', `namespace/${name}`, '--timeout=60s']);
  });
});
