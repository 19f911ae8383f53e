// Who is in which group of a real OpenLDAP server: at a sign-in, by the sweep of the watch, and when a group changes.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GROUPS_DN, PEOPLE_DN, userDn } from '../../../dev/directories/entries.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import type { Membership } from '../../../src/domain/finding.ts';
import { startTestDirectory } from '../support/openldap.ts';
import type { TestDirectory } from '../support/openldap.ts';
import { settingsOf } from '../support/settings-of.ts';
import { watchDirectory } from '../support/watched.ts';

const DEADLINE_MS = 60_000;

const PASSWORD = 'correct horse battery staple';
const ANALYTICS = `cn=analytics,${GROUPS_DN}`;
/** As an admin may write it. */
const SPELLED = `CN=Analytics, OU=groups, DC=example, DC=org`;
const UNIX = `cn=unix,${GROUPS_DN}`;
const UNIQUE = `cn=unique,${GROUPS_DN}`;
const EMPTY = `cn=empty,${GROUPS_DN}`;
const GONE = `cn=gone,${GROUPS_DN}`;
const NO_DN = 'cn=x,nonsense';
const ALL = [SPELLED, UNIX, UNIQUE, EMPTY, GONE, NO_DN];
const ODD = 'o*(d)d, \\name';

let ldap: TestDirectory;

beforeAll(async () => {
  ldap = await startTestDirectory({
    users: ['grace', 'linus', 'eve'].map((uid) => ({ uid, cn: uid, password: PASSWORD })),
    groups: [{ cn: 'analytics', members: ['ada', 'grace'] }],
  });
  const odd = `cn=odd\\2C name,${PEOPLE_DN}`;
  await ldap.server.modify(
    [
      `dn: ${odd}`,
      'changetype: add',
      'objectClass: inetOrgPerson',
      `uid: ${ODD}`,
      'sn: odd',
      `userPassword: ${PASSWORD}`,
      '',
      `dn: ${UNIX}`,
      'changetype: add',
      'objectClass: posixGroup',
      'gidNumber: 1000',
      'memberUid: linus',
      'memberUid: stranger',
      '',
      `dn: ${UNIQUE}`,
      'changetype: add',
      'objectClass: groupOfUniqueNames',
      `uniqueMember: ${userDn('grace').toUpperCase()}`,
      `uniqueMember: ${odd}`,
      '',
      `dn: ${EMPTY}`,
      'changetype: add',
      'objectClass: posixGroup',
      'gidNumber: 1001',
      '',
    ].join('\n'),
  );
});

afterAll(() => ldap.stop());

const NEVER_MS = 60 * 60_000;
const UNKNOWN = [GONE, NO_DN];
const MEMBERSHIPS: readonly (readonly [string, readonly string[]])[] = [
  ['grace', [SPELLED, UNIQUE]],
  ['linus', [UNIX]],
  ['eve', []],
  [ODD, [UNIQUE]],
];

describe('at a sign-in', () => {
  test.each(MEMBERSHIPS)('%s is in %j', async (username, groups) => {
    const verdict = await ldap.directory().verify(username, PASSWORD, ALL);
    expect(verdict).toMatchObject({
      outcome: 'Accepted',
      account: { membership: { asked: ALL, groups, unknown: UNKNOWN } },
    });
  });

  test('nobody is told of without the right password, or without a question', async () => {
    expect(await ldap.directory().verify('grace', 'wrong', ALL)).toEqual({ outcome: 'Refused' });
    const verdict = await ldap.directory().verify('grace', PASSWORD);
    expect(verdict).not.toHaveProperty('account.membership');
  });
});

describe('a group that changes by itself', () => {
  const LATE = `cn=late,${GROUPS_DN}`;
  const groups = [ANALYTICS, LATE];
  const change = (group: string, ...lines: string[]) =>
    ldap.server.modify([`dn: ${group}`, ...lines, ''].join('\n'));
  const watched = () => {
    const { watch, counts } = watchDirectory(
      settingsOf(ldap.server, { baseDN: PEOPLE_DN }),
      ['grace', 'linus'],
      {
        groups: () => groups,
        changesIntervalMs: 50,
        sweepIntervalMs: NEVER_MS,
      },
    );
    const of = (name: string) => watch.find(name).membership?.groups;
    const until = (what: string, holds: () => boolean) => waitUntil(what, DEADLINE_MS, holds);
    return { of, until, count: (what: string) => counts().get(what) ?? 0 };
  };

  test('is swept for at once: who leaves is out, who joins is in, and a group that is made or gone is seen', async () => {
    const { of, until } = watched();
    await until('the first sweep', () => of('grace')?.includes(ANALYTICS) === true);
    await change(ANALYTICS, 'changetype: modify', 'add: member', `member: ${userDn('linus')}`);
    await until('linus to be in it', () => of('linus')?.includes(ANALYTICS) === true);
    await change(ANALYTICS, 'changetype: modify', 'delete: member', `member: ${userDn('linus')}`);
    await until('linus to be out', () => of('linus')?.length === 0);
    await change(LATE, 'changetype: add', 'objectClass: posixGroup', 'gidNumber: 1002', 'memberUid: grace');
    await until('grace to be in both', () => of('grace')?.length === 2);
    await change(LATE, 'changetype: delete');
    await until('grace to be in one', () => of('grace')?.length === 1);
  });

  test('costs one short question for each group at rest, whoever is in it', async () => {
    const { of, until, count } = watched();
    await until('the first sweep', () => of('grace') !== undefined);
    const before = { polls: count('changes Answered'), groups: count('group') };
    await until('some more questions', () => count('changes Answered') >= before.polls + 20);
    const polls = count('changes Answered') - before.polls;
    expect(Math.abs(count('group') - before.groups - polls * groups.length)).toBeLessThanOrEqual(
      groups.length,
    );
    expect(count('sweep Answered')).toBe(1);
  });
});

test('the sweep says the same of everybody, and notices who comes and goes', async () => {
  const names = MEMBERSHIPS.map(([name]) => name);
  const settings = settingsOf(ldap.server, { baseDN: PEOPLE_DN });
  const { watch } = watchDirectory(settings, names, {
    groups: () => ALL,
    changesIntervalMs: 50,
    sweepIntervalMs: 100,
  });
  const changed: string[] = [];
  watch.onFindings((folded) => changed.push(...folded));
  const known = (name: string): Omit<Membership, 'asked'> | undefined => {
    const { groups, unknown } = watch.find(name.toLowerCase()).membership ?? {};
    return groups && unknown && { groups, unknown };
  };
  await waitUntil('the first sweep', DEADLINE_MS, () => known('grace') !== undefined);
  for (const [name, groups] of MEMBERSHIPS) expect(known(name)).toEqual({ groups, unknown: UNKNOWN });
  expect(watch.find('eve').membership?.asked).toEqual(ALL);
  expect(watch.find('stranger').membership).toBeUndefined();

  changed.length = 0;
  await ldap.server.modify(
    `dn: ${ANALYTICS}\nchangetype: modify\nreplace: member\nmember: ${userDn('eve')}\n`,
  );
  await waitUntil('eve to be in it', DEADLINE_MS, () => known('eve')?.groups.includes(SPELLED) === true);
  expect(known('grace')?.groups).toEqual([UNIQUE]);
  expect(new Set(changed)).toEqual(new Set(['eve', 'grace']));

  // A list above a mebibyte ends one conversation, and then costs only that group.
  const strangers = Array.from({ length: 12_000 }, (_, i) => `memberUid: ${'s'.repeat(100)}${i}`);
  await ldap.server.modify(
    [`dn: ${UNIX}`, 'changetype: modify', 'add: memberUid', ...strangers, ''].join('\n'),
  );
  await waitUntil('it to be unknown', DEADLINE_MS, (see) => {
    see([known('eve'), watch.hearing().fault]);
    return known('eve')?.unknown.includes(UNIX) === true;
  });
  expect(known('eve')?.groups).toEqual([SPELLED]);
  expect(watch.hearing().isSilent).toBe(false);
});
