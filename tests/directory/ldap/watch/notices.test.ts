// Servers that say when something has changed: OpenLDAP by RFC 4533, 389 DS by a persistent search, Samba by notification.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readOperations } from '../../../../bench/slapd-log.ts';
import { startDirectory389, type Directory389 } from '../../../../dev/directories/directory-389.ts';
import { PEOPLE_DN, userDn } from '../../../../dev/directories/entries.ts';
import { startOpenLdap, type OpenLdap } from '../../../../dev/directories/openldap.ts';
import { SAMBA_SUFFIX, sambaUserDn, startSamba, type Samba } from '../../../../dev/directories/samba.ts';
import { waitUntil } from '../../../../dev/wait-until.ts';
import { startTcpProxy } from '../../../support/tcp-proxy.ts';
import { afterTest } from '../../../support/after-test.ts';
import { settingsOf, type ServerAccess } from '../../support/settings-of.ts';
import { ONLY_WHEN_TOLD, watchDirectory, type Watched } from '../../support/watched.ts';

const NAMES = ['ada', 'grace', 'linus', 'margaret'];
const CROWD = Array.from({ length: 200 }, (_, index) => `u${index}`);
const USERS = [...NAMES, ...CROWD].map((uid) => ({ uid, cn: uid }));
const DEADLINE_MS = 60_000;
const LOCKED_FOR_GOOD = '000001010000Z';

const over = (server: ServerAccess, port = new URL(server.ldapsUrl).port) =>
  settingsOf({ ...server, ldapsUrl: `ldaps://127.0.0.1:${port}` }, { baseDN: PEOPLE_DN });

const change = (uid: string, ...lines: string[]) =>
  [`dn: ${userDn(uid)}`, 'changetype: modify', ...lines, ''].join('\n');
const lock = (uid: string) =>
  change(uid, 'replace: pwdAccountLockedTime', `pwdAccountLockedTime: ${LOCKED_FOR_GOOD}`);
const unlock = (uid: string) => change(uid, 'delete: pwdAccountLockedTime');

/** A connection that says so has no beginning that a client could see: it is there once something that changes is told. */
async function untilItIsTold({ watch }: Watched, act: (count: number) => Promise<void>): Promise<void> {
  const before = watch.hearing().askedAt;
  let changes = 0;
  await waitUntil('the server to say that something has changed', DEADLINE_MS, async () => {
    changes += 1;
    await act(changes);
    return watch.hearing().askedAt !== before;
  });
}

describe('OpenLDAP', () => {
  let server: OpenLdap;
  beforeAll(async () => {
    server = await startOpenLdap({ users: USERS, logOperations: true });
  });
  afterAll(() => server.stop());

  /** By its own log: what asks for changes since a time, and has an end. */
  const questions = () =>
    readOperations(server.logFile).filter(
      ({ kind, filter }) => kind === 'SRCH' && filter.includes('modifyTimestamp'),
    ).length;

  test('a change is asked for when the server says that there is one, long before it is time to ask', async () => {
    const watched = watchDirectory(over(server), NAMES, ONLY_WHEN_TOLD);
    await watched.untilAllAreFound();
    // The first ones also show that it goes on listening.
    for (const name of ['ada', 'grace']) {
      await server.modify(lock(name));
      await watched.until(name, () => watched.isDisabled(name));
      await server.modify(unlock(name));
      await watched.until(name, () => !watched.isDisabled(name));
    }
  });

  test('a crowd of changes is asked for together', async () => {
    const watched = watchDirectory(over(server), CROWD, ONLY_WHEN_TOLD);
    await watched.untilAllAreFound();
    await server.modify(lock('u0'));
    await watched.until('u0', () => watched.isDisabled('u0'));
    const before = questions();
    const began = performance.now();
    await server.modify(CROWD.map(lock).join('\n'));
    await waitUntil('all to be known', DEADLINE_MS, () => CROWD.every((name) => watched.isDisabled(name)));
    const tookMs = performance.now() - began;
    // One every 100 ms, and not one for each.
    expect(questions() - before).toBeLessThanOrEqual(tookMs / 100 + 2);
    await server.modify(CROWD.map(unlock).join('\n'));
  });

  test('where the connection that says so has gone dead, a change is found in its own time', async () => {
    const proxy = await startTcpProxy(Number(new URL(server.ldapsUrl).port));
    afterTest(() => proxy.close());
    const watched = watchDirectory(over(server, String(proxy.port)), NAMES, {
      ...ONLY_WHEN_TOLD,
      changesIntervalMs: 300,
    });
    await watched.untilAllAreFound();
    await waitUntil('the second connection', DEADLINE_MS, () => proxy.connections() === 2);
    await server.modify(lock('linus'));
    await watched.until('linus', () => watched.isDisabled('linus'));
    proxy.freeze(2);
    await server.modify(lock('margaret'));
    await watched.until('margaret', () => watched.isDisabled('margaret'));
    for (const name of ['linus', 'margaret']) await server.modify(unlock(name));
  });

  test('where that connection breaks, another one is opened', async () => {
    const proxy = await startTcpProxy(Number(new URL(server.ldapsUrl).port));
    afterTest(() => proxy.close());
    const watched = watchDirectory(over(server, String(proxy.port)), NAMES, ONLY_WHEN_TOLD);
    await watched.untilAllAreFound();
    await waitUntil('the second connection', DEADLINE_MS, () => proxy.connections() === 2);
    await server.modify(lock('linus'));
    await watched.until('linus', () => watched.isDisabled('linus'));
    proxy.cut(2);
    await waitUntil('a third connection', DEADLINE_MS, () => proxy.connections() === 3);
    await server.modify(unlock('linus'));
    await watched.until('linus', () => !watched.isDisabled('linus'));
    expect(proxy.connections()).toBe(3);
  });

  test('a server that has the control, and not the overlay, is asked for it once, and for changes in their own time', async () => {
    const plain = await startOpenLdap({ users: USERS.slice(0, NAMES.length), tellsChanges: false });
    afterTest(() => plain.stop());
    const proxy = await startTcpProxy(Number(new URL(plain.ldapsUrl).port));
    afterTest(() => proxy.close());
    const watched = watchDirectory(over(plain, String(proxy.port)), NAMES, {
      ...ONLY_WHEN_TOLD,
      changesIntervalMs: 300,
    });
    await watched.untilAllAreFound();
    for (const name of NAMES) {
      await plain.modify(lock(name));
      await watched.until(name, () => watched.isDisabled(name));
    }
    expect(proxy.connections()).toBe(2);
  });
});

describe('389 Directory Server', () => {
  let server: Directory389;
  beforeAll(async () => {
    server = await startDirectory389({ users: USERS.slice(0, NAMES.length) });
  });
  afterAll(() => server.stop());

  const touch = (count: number) =>
    server.modify(change('linus', 'replace: description', `description: ${count}`));

  test('a change is asked for when the server says that there is one, long before it is time to ask', async () => {
    const watched = watchDirectory(over(server), NAMES, ONLY_WHEN_TOLD);
    await watched.untilAllAreFound();
    await untilItIsTold(watched, touch);
    for (const name of ['ada', 'grace']) {
      await server.dsidm('account', 'lock', userDn(name));
      await watched.until(name, () => watched.isDisabled(name));
      await server.dsidm('account', 'unlock', userDn(name));
      await watched.until(name, () => !watched.isDisabled(name));
    }
  });

  test('whoever is deleted is asked for by name, long before the next sweep', async () => {
    const watched = watchDirectory(over(server), NAMES, ONLY_WHEN_TOLD);
    await watched.untilAllAreFound();
    await untilItIsTold(watched, touch);
    await server.modify(`dn: ${userDn('margaret')}\nchangetype: delete\n`);
    await watched.until('margaret', ({ finding }) => finding?.state === 'Missing');
    expect(watched.states()).toEqual(['Found', 'Found', 'Found', 'Missing']);
  });
});

/** It looks for what has changed every five seconds, and tells then. */
describe('Samba as an Active Directory', () => {
  const PASSWORD = 'Analytical-Engine-1843';
  let server: Samba;
  beforeAll(async () => {
    server = await startSamba({ users: NAMES.map((uid) => ({ uid, cn: uid, password: PASSWORD })) });
  });
  afterAll(() => server.stop());

  const settings = (baseDN: string) =>
    settingsOf(server, { baseDN, userFilter: '(&(objectClass=user)(sAMAccountName={username}))' });
  const touch = (count: number) =>
    server.modify(
      `dn: ${sambaUserDn('linus')}\nchangetype: modify\nreplace: description\ndescription: ${count}\n`,
    );

  test('a change is asked for when the server says that there is one, long before it is time to ask', async () => {
    const watched = watchDirectory(settings(SAMBA_SUFFIX), NAMES, ONLY_WHEN_TOLD);
    await watched.untilAllAreFound();
    await untilItIsTold(watched, touch);
    await server.sambaTool('user', 'disable', 'ada');
    await watched.until('ada', () => watched.isDisabled('ada'));
    await server.sambaTool('user', 'enable', 'ada');
    await watched.until('ada', () => !watched.isDisabled('ada'));
  });

  test('whoever is moved out of the base DN is asked for by name, long before the next sweep', async () => {
    const watched = watchDirectory(settings(`CN=Users,${SAMBA_SUFFIX}`), NAMES, ONLY_WHEN_TOLD);
    await watched.untilAllAreFound();
    await untilItIsTold(watched, touch);
    await server.sambaTool('user', 'move', 'grace', `CN=Computers,${SAMBA_SUFFIX}`);
    await watched.until('grace', ({ finding }) => finding?.state === 'Missing');
    await server.sambaTool('user', 'move', 'grace', `CN=Users,${SAMBA_SUFFIX}`);
    await watched.untilAllAreFound();
  });

  test('whoever is deleted is asked for by name, where the bind account may see what is deleted', async () => {
    await server.sambaTool('user', 'setpassword', 'Administrator', `--newpassword=${PASSWORD}`);
    const asAdmin = {
      ...settings(SAMBA_SUFFIX),
      bindDN: 'Administrator@example.test',
      bindPassword: () => Promise.resolve(PASSWORD),
    };
    const watched = watchDirectory(asAdmin, NAMES, ONLY_WHEN_TOLD);
    await watched.untilAllAreFound();
    await untilItIsTold(watched, touch);
    await server.sambaTool('user', 'delete', 'margaret');
    await watched.until('margaret', ({ finding }) => finding?.state === 'Missing');
    expect(watched.states()).toEqual(['Found', 'Found', 'Found', 'Missing']);
  });
});
