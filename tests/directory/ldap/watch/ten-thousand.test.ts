// Ten thousand people in one real directory: all are found, changes among them are seen, and half a sweep says nothing.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PEOPLE_DN, userDn } from '../../../../dev/directories/entries.ts';
import { startOpenLdap, type OpenLdap } from '../../../../dev/directories/openldap.ts';
import { waitUntil } from '../../../../dev/wait-until.ts';
import { startTcpProxy } from '../../../support/tcp-proxy.ts';
import { afterTest } from '../../../support/after-test.ts';
import { settingsOf } from '../../support/settings-of.ts';
import { ONLY_WHEN_TOLD, watchDirectory } from '../../support/watched.ts';

const NAMES = Array.from({ length: 10_000 }, (_, index) => `u${String(index).padStart(5, '0')}`);
/** One in every 200. */
const SOME = NAMES.filter((_, index) => index % 200 === 77);
const LOADING_MS = 300_000;
const DEADLINE_MS = 60_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

let server: OpenLdap;
beforeAll(async () => {
  server = await startOpenLdap({ users: NAMES.map((uid) => ({ uid, cn: uid })) });
}, LOADING_MS);
afterAll(() => server.stop());

const settings = () => settingsOf(server, { baseDN: PEOPLE_DN });
const change = (names: readonly string[], ...lines: string[]) =>
  server.modify(
    names.map((uid) => [`dn: ${userDn(uid)}`, 'changetype: modify', ...lines, ''].join('\n')).join('\n'),
  );
const lock = (names: readonly string[]) =>
  change(names, 'replace: pwdAccountLockedTime', 'pwdAccountLockedTime: 000001010000Z');
const unlock = (names: readonly string[]) => change(names, 'delete: pwdAccountLockedTime');

test('the server had room for all of them, and for its log of their changes', () => {
  expect(readFileSync(server.logFile, 'utf8')).not.toContain('MDB_MAP_FULL');
});

test('every one is found, who is disabled is, and nobody else; who is not there is missing', async () => {
  await lock(SOME);
  const watched = watchDirectory(settings(), [...NAMES, 'nobody'], ONLY_WHEN_TOLD);
  await waitUntil('the first answer', DEADLINE_MS, () => watched.watch.hearing().askedAt);
  const states = watched.states();
  expect(states.slice(0, -1).every((state) => state === 'Found')).toBe(true);
  expect(states.at(-1)).toBe('Missing');
  expect(NAMES.filter(watched.isDisabled)).toEqual(SOME);
  await unlock(SOME);
});

test('changes among them are seen, and of nobody else anything is told', async () => {
  const watched = watchDirectory(settings(), NAMES, ONLY_WHEN_TOLD);
  await waitUntil('the first answer', DEADLINE_MS, () => watched.watch.hearing().askedAt);
  await waitUntil('nobody to be disabled', DEADLINE_MS, () => !NAMES.some(watched.isDisabled));
  const told = new Set<string>();
  watched.watch.onFindings((names) => {
    for (const name of names) told.add(name);
  });
  await lock(SOME);
  // They are told when the whole answer is there.
  await waitUntil('the changes', DEADLINE_MS, () => SOME.every((name) => told.has(name)));
  expect(SOME.every(watched.isDisabled)).toBe(true);
  expect([...told].toSorted()).toEqual(SOME);
  await unlock(SOME);
  await waitUntil('the changes back', DEADLINE_MS, () => !SOME.some(watched.isDisabled));
});

test('what is kept is a little for each User, and nothing for whoever is none', async () => {
  const before = heapBytes();
  let seen = 0;
  const few = watchDirectory(settings(), SOME, ONLY_WHEN_TOLD, () => {
    seen += 1;
  });
  await waitUntil('the first answer', DEADLINE_MS, () => few.watch.hearing().askedAt);
  expect(seen).toBeGreaterThanOrEqual(NAMES.length);
  expect(heapBytes() - before).toBeLessThan(4e6);
  const all = watchDirectory(settings(), NAMES, ONLY_WHEN_TOLD);
  await waitUntil('the first answer', DEADLINE_MS, () => all.watch.hearing().askedAt);
  expect((heapBytes() - before) / NAMES.length).toBeLessThan(1_500);
  expect(few.states()).toHaveLength(SOME.length);
});

test('a server that dies in the middle of a sweep takes nobody away', async () => {
  let isArmed = false;
  let names = 0;
  let dying: Promise<void> | undefined;
  const proxy = await startTcpProxy(Number(new URL(server.ldapsUrl).port));
  afterTest(() => proxy.close());
  const url = `ldaps://127.0.0.1:${proxy.port}`;
  const watched = watchDirectory({ ...settings(), url }, NAMES, ONLY_WHEN_TOLD, () => {
    if (!isArmed) return;
    names += 1;
    // No question but a sweep comes across so many.
    if (names === NAMES.length / 2) dying = server.kill();
  });
  await waitUntil('the first answer', DEADLINE_MS, () => watched.watch.hearing().askedAt);
  await waitUntil('nobody to be disabled', DEADLINE_MS, () => !NAMES.some(watched.isDisabled));
  const told: string[] = [];
  watched.watch.onFindings((changed) => void told.push(...changed));
  isArmed = true;
  // On another connection everybody is asked for again, at once.
  proxy.cut(1);
  await waitUntil('the silence', DEADLINE_MS, () => watched.watch.hearing().isSilent);
  await dying;
  expect(told).toEqual([]);
  expect(watched.states().every((state) => state === 'Found')).toBe(true);
  expect(NAMES.some(watched.isDisabled)).toBe(false);
  expect(names).toBeLessThan(NAMES.length);
});
