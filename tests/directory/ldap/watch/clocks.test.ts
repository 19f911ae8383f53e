// A real OpenLDAP server whose clock is hours off, or was once: changes are found all the same, without a sweep.
import { expect, test } from '@jest/globals';
import { PEOPLE_DN, userDn } from '../../../../dev/directories/entries.ts';
import { startOpenLdap } from '../../../../dev/directories/openldap.ts';
import { afterTest } from '../../../support/after-test.ts';
import { settingsOf } from '../../support/settings-of.ts';
import { watchDirectory } from '../../support/watched.ts';

const HOUR_MS = 60 * 60_000;
const NAMES = ['ada', 'grace', 'linus'];
/** No sweep after the first one. */
const CHANGES_ONLY = { changesIntervalMs: 50, sweepIntervalMs: 24 * HOUR_MS };

/** The time at which a server says that it made a change, where its clock is so far off. */
const stamp = (offMs: number) =>
  `modifyTimestamp: ${new Date(Date.now() + offMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`;

/** @param offMs how far the clock was off by which each of NAMES was made */
async function watched(offMs: readonly number[]) {
  const server = await startOpenLdap({ users: NAMES.map((uid) => ({ uid, cn: uid })), tellsChanges: false });
  afterTest(() => server.stop());
  const change = (uid: string, at: number, ...lines: string[]) =>
    server.modify(
      [`dn: ${userDn(uid)}`, 'changetype: modify', ...lines, 'replace: modifyTimestamp', stamp(at), ''].join(
        '\n',
      ),
    );
  for (const [index, uid] of NAMES.entries()) await change(uid, offMs[index] ?? 0);
  const watch = watchDirectory(settingsOf(server, { baseDN: PEOPLE_DN }), NAMES, CHANGES_ONLY);
  await watch.untilAllAreFound();
  /** As the server would, by the clock that it has now. */
  const findsChanges = async (at: number) => {
    for (let round = 0; round < 3; round++) {
      await change('ada', at, 'replace: pwdAccountLockedTime', 'pwdAccountLockedTime: 000001010000Z', '-');
      await watch.until('ada', () => watch.isDisabled('ada'));
      await change('ada', at, 'delete: pwdAccountLockedTime', '-');
      await watch.until('ada', () => !watch.isDisabled('ada'));
    }
    expect(watch.counts().get('sweep Answered')).toBe(1);
  };
  return { findsChanges };
}

test.each([-8, -1, 1, 3, 12])('a clock that is off by %i hours', async (hours) => {
  const off = hours * HOUR_MS;
  const { findsChanges } = await watched([off, off, off]);
  await findsChanges(off);
});

test.each([2, 20 * 365 * 24])(
  'a clock that was ahead by %i hours once, and goes ahead again',
  async (hours) => {
    const { findsChanges } = await watched([0, hours * HOUR_MS, -HOUR_MS]);
    await findsChanges(0);
    await findsChanges(3 * HOUR_MS);
  },
);
