// No mass accident by a directory, on a real OpenLDAP server: whom it calls inactive all at once keeps the token until an admin confirms.
import { afterAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { userDn } from '../../dev/directories/entries.ts';
import { directoryFlags } from '../../dev/directories/flags.ts';
import { startOpenLdap } from '../../dev/directories/openldap.ts';
import { writeSecret } from '../../dev/latchkey/install.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { ASK_OFTEN } from '../support/ask-often.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { restartAfter } from '../support/restart.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PASSWORD = 'correct horse battery staple';
const DEADLINE_MS = 60_000;
const MOST_UNASKED = 9;

const NAMES = Array.from({ length: 20 }, (_, index) => `user-${String(index).padStart(2, '0')}`);
/** More than ten, and more than one in five. */
const DOZEN = NAMES.slice(0, 12);
const OTHERS = NAMES.slice(12);

const directory = await startOpenLdap({
  users: NAMES.map((uid) => ({ uid, cn: uid, password: PASSWORD })),
});
const flags = [...directoryFlags(directory), ...ASK_OFTEN, '--sign-in-attempts-per-address=1000'];
const latchkey = await startLatchkey({ flags });
afterAll(async () => {
  await latchkey.stop();
  await directory.stop();
});
const { kubectl, cluster, policy } = latchkey;
await writeSecret(cluster, 'latchkey-ldap-bind', { password: directory.bindPassword });
for (const name of NAMES) await latchkey.createUser(name);
for (const name of NAMES) await latchkey.untilStatus(name, (status) => status.directory?.state === 'Active');
for (const name of NAMES) expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
for (const name of NAMES) await latchkey.untilToken(name);

const change = (names: readonly string[], ...lines: string[]) =>
  directory.modify(
    names.map((uid) => [`dn: ${userDn(uid)}`, 'changetype: modify', ...lines, ''].join('\n')).join('\n'),
  );
const disable = () => change(DOZEN, 'replace: pwdAccountLockedTime', 'pwdAccountLockedTime: 000001010000Z');
const enable = () => change(DOZEN, 'delete: pwdAccountLockedTime');

const openHold = async () => (await policy()).status?.holds?.find(({ confirmed }) => !confirmed);
const untilHeld = () => waitUntil('a hold', DEADLINE_MS, openHold);
const untilNothingIsHeld = () =>
  waitUntil('the end of the hold', DEADLINE_MS, async () => (await policy()).status?.holds === undefined);
const heldCondition = async () => (await policy()).status?.conditions?.find(({ type }) => type === 'Held');
const events = () =>
  kubectl(['get', 'events.events.k8s.io', '-n', 'default', '-o', 'jsonpath={.items[*].note}']);

async function withToken(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map(async (name) => ({ name, token: await latchkey.token(name) })));
  return found.filter(({ token }) => token !== undefined).map(({ name }) => name);
}
const sessions = () =>
  Promise.all(NAMES.map(async (name) => (await latchkey.user(name)).status?.session?.id));

test('twelve of twenty who are disabled at one look are held: it is said, and nobody loses the token', async () => {
  const before = await sessions();
  await restartAfter(latchkey, disable, { flags });

  const hold = await untilHeld();
  expect(hold).toMatchObject({ cause: 'Inactive', affected: 12, of: 20 });
  expect(await heldCondition()).toMatchObject({
    status: 'True',
    reason: 'Inactive',
    message: expect.stringContaining(`latchkey confirm ${hold.id}`),
  });
  await waitUntil('the Event', DEADLINE_MS, async () => (await events()).includes(hold.id));
  expect(await latchkey.metrics()).toMatchObject({ 'latchkey_holds{cause="Inactive"}': 1 });
  // A token that the last process wrote is written anew: then each of them was looked at.
  for (const name of DOZEN) await latchkey.untilStatus(name, (status) => status.hold === hold.id);
  expect(await withToken(NAMES)).toEqual(NAMES);
  expect(await sessions()).toEqual(before);
});

test('when they are enabled again, nothing is held any more, and nothing has happened to anybody', async () => {
  const before = await sessions();
  await enable();
  await untilNothingIsHeld();
  expect(await heldCondition()).toMatchObject({ status: 'False' });
  for (const name of DOZEN) await latchkey.untilStatus(name, (status) => status.hold === undefined);
  expect(await withToken(NAMES)).toEqual(NAMES);
  expect(await sessions()).toEqual(before);
  expect(await latchkey.metrics()).not.toMatchObject({ 'latchkey_holds{cause="Inactive"}': 1 });
});

test('disabled while it looks, nine at most go before it asks; when somebody with the verb confirms, the others go', async () => {
  await disable();
  const hold = await waitUntil('all others to be held', DEADLINE_MS, async () => {
    const open = await openHold();
    const left = await withToken(DOZEN);
    return open !== undefined && open.affected === left.length && open;
  });
  expect(hold.cause).toBe('Inactive');
  expect(hold.affected).toBeGreaterThanOrEqual(DOZEN.length - MOST_UNASKED);

  const rights = [
    '--verb=get,patch,confirm',
    '--resource=tokenpolicies.latchkey.dev',
    '--resource-name=cluster',
  ];
  await kubectl(['create', 'clusterrole', 'confirmer', ...rights]);
  await kubectl(['create', 'clusterrolebinding', 'confirmer', '--clusterrole=confirmer', '--user=carol']);
  const kubeconfig = await cluster.clientKubeconfig('carol');
  const { stdout } = await run(process.execPath, [MAIN, 'confirm', hold.id, `--kubeconfig=${kubeconfig}`]);
  expect(stdout).toContain('is confirmed and goes on');

  for (const name of DOZEN) await latchkey.untilNoToken(name);
  await untilNothingIsHeld();
  expect(await withToken(NAMES)).toEqual(OTHERS);
  for (const name of DOZEN) expect((await latchkey.user(name)).status?.session).toBeUndefined();
});
