// Two replicas of a directory, real OpenLDAP servers, that die one after the other, and what the policy makes of the silence.
import { afterAll, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOperations } from '../../bench/slapd-log.ts';
import { PEOPLE_DN, userDn } from '../../dev/directories/entries.ts';
import { startOpenLdap, type OpenLdap } from '../../dev/directories/openldap.ts';
import { writeSecret } from '../../dev/latchkey/install.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const NAMES = ['ada', 'grace', 'linus', 'margaret'];
const DEADLINE_MS = 60_000;
/** A question for changes goes back no further than this behind the latest one. */
const BEHIND_THE_MARK_MS = 8_000;

const first = await startOpenLdap({ users: NAMES.map((uid) => ({ uid, cn: uid, password: PASSWORD })) });
/** Its content comes from the first one, with the same UUIDs and times; what it changes itself the first one never sees. */
const second = await startOpenLdap({ users: [], follows: first, logOperations: true });
const folder = temporaryFolder('latchkey-failover');
const caFile = join(folder.path, 'ca.crt');
writeFileSync(caFile, [first, second].map((server) => readFileSync(server.caFile, 'utf8')).join(''));
const latchkey = await startLatchkey({
  flags: [
    '--directory=ldap',
    `--ldap-url=${first.ldapsUrl},${second.ldapsUrl}`,
    `--ldap-ca-file=${caFile}`,
    `--ldap-bind-dn=${first.bindDn}`,
    `--ldap-base-dn=${PEOPLE_DN}`,
    '--directory-poll-interval=200ms',
    // Whatever everybody is asked for in time is asked because of another server.
    '--directory-sweep-interval=1h',
  ],
});
afterAll(async () => {
  await latchkey.stop();
  await second.stop();
  await first.stop();
  folder.remove();
});
await writeSecret(latchkey.cluster, 'latchkey-ldap-bind', { password: first.bindPassword });
for (const name of NAMES) await latchkey.createUser(name);
for (const name of NAMES) await latchkey.untilStatus(name, (status) => status.directory?.state === 'Active');
for (const name of NAMES) {
  expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  await latchkey.untilToken(name);
}

const disable = (server: OpenLdap, uid: string) =>
  server.modify(
    `dn: ${userDn(uid)}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n`,
  );
const { policy } = latchkey;
const untilReachable = (status: 'True' | 'False', reason: string) =>
  waitUntil(`DirectoryReachable to be ${status}, ${reason}`, DEADLINE_MS, async () =>
    (await policy()).status?.conditions?.some(
      (condition) =>
        condition.type === 'DirectoryReachable' && condition.status === status && condition.reason === reason,
    ),
  );
const sessionOf = async (name: string) => (await latchkey.user(name)).status?.session?.id;

test('when the first server dies, the second one is asked about everybody, and nobody loses the token for it', async () => {
  const session = await sessionOf('ada');
  // Of this one only the second server knows, and by its time it lies before the mark of the first.
  await disable(second, 'grace');
  const changedAt = Date.now();
  await waitUntil('the change to be old', DEADLINE_MS, () => Date.now() > changedAt + BEHIND_THE_MARK_MS);
  await disable(first, 'linus');
  await latchkey.untilNoToken('linus');
  expect(await latchkey.token('grace')).toBeDefined();

  await first.kill();
  await latchkey.untilNoToken('grace');
  const question = readOperations(second.logFile).find(
    ({ kind, filter }) => kind === 'SRCH' && filter.includes('uid='),
  );
  expect(question).toMatchObject({ entries: NAMES.length });
  expect(question?.filter).not.toContain('modifyTimestamp');
  // And from then on for changes.
  await disable(second, 'margaret');
  await latchkey.untilNoToken('margaret');
  expect(await latchkey.token('ada')).toBeDefined();
  expect(await sessionOf('ada')).toBe(session);
});

test('when the second one dies too, onUnreachable: Keep takes nothing from anybody, however long it lasts', async () => {
  await latchkey.patch('tokenpolicy cluster', {
    spec: { directory: { onUnreachable: 'Keep', gracePeriod: '1s' } },
  });
  await second.kill();
  await untilReachable('False', 'Unreachable');
  const silentSince = Date.parse((await policy()).status?.directory?.heardAt ?? '');
  await waitUntil('the grace period to be over', DEADLINE_MS, () => Date.now() > silentSince + 3_000);
  await untilReachable('False', 'Unreachable');
  expect(await latchkey.token('ada')).toBeDefined();
  expect((await latchkey.user('ada')).status?.directory?.state).toBe('Active');
});

test('with onUnreachable: Revoke every token goes once the grace period is over, and comes back by signing in', async () => {
  const { epoch } = (await policy()).status ?? {};
  const session = await sessionOf('ada');
  await latchkey.patch('tokenpolicy cluster', {
    spec: { directory: { onUnreachable: 'Revoke', gracePeriod: '1h' } },
  });
  await waitUntil('the policy to be taken up', DEADLINE_MS, async () => {
    const { metadata, status } = await policy();
    return status?.observedGeneration === metadata.generation;
  });
  expect(await latchkey.token('ada')).toBeDefined();
  await latchkey.patch('tokenpolicy cluster', { spec: { directory: { gracePeriod: '10s' } } });
  await latchkey.untilNoToken('ada');
  await untilReachable('False', 'GracePeriodOver');
  expect((await policy()).status?.epoch).not.toBe(epoch);

  await first.restart();
  await untilReachable('True', 'Reachable');
  expect(await latchkey.token('ada')).toBeUndefined();
  expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('ada');
  expect(await sessionOf('ada')).not.toBe(session);
});
