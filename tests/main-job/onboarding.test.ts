// Who becomes a User by signing in, on a real OpenLDAP server and a real cluster, with two operators at once.
import { afterAll, describe, expect, test } from '@jest/globals';
import { GROUPS_DN, userDn } from '../../dev/directories/entries.ts';
import { directoryFlags } from '../../dev/directories/flags.ts';
import { startOpenLdap } from '../../dev/directories/openldap.ts';
import { writeSecret } from '../../dev/latchkey/install.ts';
import { startOperator } from '../../dev/latchkey/operator.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { ASK_OFTEN } from '../support/ask-often.ts';
import { startLatchkey } from '../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const DEADLINE_MS = 60_000;
const MEMBERS = ['ada', 'grace', 'linus', 'ken.t', 'payroll', 'taken.name', 'late', 'hedy'] as const;
const ANALYTICS = `cn=analytics,${GROUPS_DN}`;
const EVERYBODY = `cn=everybody,${GROUPS_DN}`;
const STAFF = `cn=staff,${GROUPS_DN}`;
const OPERATOR = 'system:serviceaccount:latchkey:latchkey';

const directory = await startOpenLdap({
  users: [...MEMBERS, 'stranger'].map((uid) => ({ uid, cn: `Person ${uid}`, password: PASSWORD })),
  groups: [
    { cn: 'analytics', members: MEMBERS },
    { cn: 'staff', members: ['grace'] },
    { cn: 'everybody', members: [...MEMBERS] },
  ],
});
const flags = [...directoryFlags(directory), ...ASK_OFTEN];
const latchkey = await startLatchkey({ flags, values: { onboarding: { enabled: true } } });
const second = await startOperator(latchkey.cluster, { flags });
afterAll(async () => {
  await second.stop();
  second.remove();
  await latchkey.stop();
  await directory.stop();
});
await writeSecret(latchkey.cluster, 'latchkey-ldap-bind', { password: directory.bindPassword });

const change = (group: string, ...lines: string[]) =>
  directory.modify([`dn: ${group}`, 'changetype: modify', ...lines, ''].join('\n'));
const signIn = async (username: string) => {
  const { status, text } = await latchkey.signIn(username, PASSWORD);
  return { status, text };
};
const onboard = (groups: readonly string[], maxUsers = 100) =>
  latchkey.patch('tokenpolicy cluster', { spec: { onboarding: { groups, maxUsers } } });
const names = async () =>
  (await latchkey.kubectl(['get', 'users.latchkey.dev', '-o', 'name'])).trim().split('\n');

interface Event {
  readonly regarding: { readonly kind: string; readonly name: string };
  readonly type: string;
  readonly note: string;
  readonly series?: { readonly count: number };
}

/** Of the refusals, once there is one that says so. */
const refusalEvent = (reason: string) =>
  waitUntil(`the Event of ${reason}`, DEADLINE_MS, async () => {
    const found = await latchkey.kubectl([
      'get', 'events.events.k8s.io', '-n', 'default', '--field-selector=reason=OnboardingRefused', '-o', 'json',
    ]); // prettier-ignore
    return (JSON.parse(found) as { items: Event[] }).items.find(({ note }) => note.includes(`(${reason})`));
  });

test('without spec.onboarding, a member of whatever group has to be made a User by an admin', async () => {
  expect(await signIn('ada')).toMatchObject({ status: 403, text: expect.stringContaining('no access yet') });
});

describe('with spec.onboarding', () => {
  test('the first sign-in of a member makes the User, and brings a token with the groups that are listed', async () => {
    await onboard([ANALYTICS, STAFF]);
    expect((await signIn('ada')).status).toBe(303);
    const { claims } = await latchkey.untilToken('ada');
    expect(claims).toMatchObject({ preferred_username: 'ada', name: 'Person ada', groups: ['analytics'] });
    const { metadata, spec } = await latchkey.user('ada');
    expect(metadata.labels).toEqual({ 'latchkey.dev/onboarded': 'true' });
    expect(spec).toEqual({ displayName: 'Person ada', role: 'member', disabled: false });
  });

  test('a username that is no name for a namespace gets one by the rule', async () => {
    expect((await signIn('Ken.T')).status).toBe(303);
    const { claims } = await latchkey.untilToken('ken-t');
    expect(claims).toMatchObject({ preferred_username: 'ken.t' });
  });

  test('somebody in none of the groups is refused, and no User is made', async () => {
    expect(await signIn('stranger')).toMatchObject({
      status: 403,
      text: expect.stringContaining('no access yet'),
    });
    expect(await names()).toEqual(['user.latchkey.dev/ada', 'user.latchkey.dev/ken-t']);
  });

  test('a wrong password makes nothing', async () => {
    expect((await latchkey.signIn('grace', 'wrong')).status).toBe(401);
    expect(await names()).not.toContain('user.latchkey.dev/grace');
  });

  test('a namespace that is there already is left alone, and a name that is taken, too', async () => {
    await latchkey.kubectl(['create', 'namespace', 'payroll']);
    await latchkey.createUser('taken-name', { username: 'somebody.else' });
    await latchkey.untilStatus('taken-name', ({ phase }) => phase !== undefined);
    await latchkey.kubectl(['wait', '--for=create', 'namespace/taken-name', '--timeout=60s']);
    expect((await signIn('payroll')).text).toContain('NamespaceNotOurs');
    expect((await signIn('taken.name')).text).toContain('NameTaken');
    expect(await refusalEvent('NameTaken')).toMatchObject({
      regarding: { kind: 'TokenPolicy', name: 'cluster' },
      type: 'Warning',
      note: expect.stringContaining('The username taken.name has signed in'),
    });
    expect(await refusalEvent('NamespaceNotOurs')).toMatchObject({
      note: expect.stringContaining('payroll'),
    });
    expect(await names()).not.toContain('user.latchkey.dev/payroll');
    expect((await latchkey.user('taken-name')).status?.session).toBeUndefined();
  });

  test('an account under another of its usernames has no second User', async () => {
    await directory.modify(`dn: ${userDn('ada')}\nchangetype: modify\nadd: uid\nuid: countess\n`);
    expect((await signIn('countess')).text).toContain('AccountHasUser');
    expect(await names()).not.toContain('user.latchkey.dev/countess');
  });

  test('two replicas at once make one User, and both let its owner in', async () => {
    const here = latchkey.operator;
    const attempts: Promise<{ status: number }>[] = [];
    for (const operator of [here, second, here, second]) {
      latchkey.operator = operator;
      attempts.push(signIn('grace'));
    }
    latchkey.operator = here;
    expect((await Promise.all(attempts)).map(({ status }) => status)).toEqual([303, 303, 303, 303]);
    const { claims } = await latchkey.untilToken('grace');
    expect(claims['groups']).toEqual(['analytics', 'staff']);
  });

  /** What either of two replicas does that does not know yet what the other one has made. */
  test('a User that is made for an account that has one already gets no token', async () => {
    const labels = { 'latchkey.dev/onboarded': 'true' };
    const countess = {
      apiVersion: 'latchkey.dev/v1alpha1',
      kind: 'User',
      metadata: { name: 'countess', labels },
    };
    await latchkey.kubectl(['create', '-f', '-'], JSON.stringify(countess));
    await latchkey.untilStatus('countess', ({ phase }) => phase !== undefined);
    expect(await signIn('countess')).toMatchObject({
      status: 403,
      text: expect.stringContaining('AccountHasUser'),
    });
    expect((await signIn('ada')).status).toBe(303);
    expect((await latchkey.user('countess')).status?.session).toBeUndefined();
    await latchkey.kubectl(['delete', 'users.latchkey.dev', 'countess']);
  });

  test('two usernames of one account at once, at two replicas, end with one token', async () => {
    const dn = userDn('hedy');
    await directory.modify(`dn: ${dn}\nchangetype: modify\nadd: uid\nuid: lamarr\n`);
    const here = latchkey.operator;
    const attempts: Promise<unknown>[] = [];
    for (const [operator, username] of [
      [here, 'hedy'],
      [second, 'lamarr'],
    ] as const) {
      latchkey.operator = operator;
      attempts.push(signIn(username));
    }
    latchkey.operator = here;
    await Promise.all(attempts);
    const both = ['hedy', 'lamarr'];
    await waitUntil('one of the two to have the account', DEADLINE_MS, async () => {
      const made = (await names()).filter((name) => both.some((each) => name.endsWith(`/${each}`)));
      const users = await Promise.all(made.map((name) => latchkey.user(name.split('/')[1] ?? '')));
      return users.filter(({ status }) => status?.session).length === 1;
    });
    // A replica may learn a moment later what the other one has written.
    const [last, loser] = await waitUntil('one of them to be let in', DEADLINE_MS, async () => {
      const [one, other] = [await signIn('hedy'), await signIn('lamarr')];
      if (one.status === other.status) return undefined;
      const [first, out] = one.status === 303 ? (['hedy', other] as const) : (['lamarr', one] as const);
      expect(out).toMatchObject({ status: 403, text: expect.stringContaining('AccountHasUser') });
      return [first, first === 'hedy' ? 'lamarr' : 'hedy'] as const;
    });
    await latchkey.untilToken(last);
    await latchkey.untilNoToken(loser);
    await latchkey.kubectl(['delete', 'users.latchkey.dev', last]);
    await waitUntil(
      'the other one to be let in',
      DEADLINE_MS,
      async () => (await signIn(loser)).status === 303,
    );
    await latchkey.untilToken(loser);
    await latchkey.kubectl(['delete', 'users.latchkey.dev', loser]);
  });

  test('a group that is left, of several, leaves the token at once, and the session goes on', async () => {
    const { session } = await latchkey.untilStatus('grace', (status) => status.session !== undefined);
    await change(STAFF, 'replace: member', `member: ${userDn('stranger')}`);
    await latchkey.untilStatus('grace', (status) => status.directory?.groups?.length === 1);
    const { directory: heard, session: after } = await latchkey.untilStatus('grace', () => true);
    expect(heard?.groups).toEqual([ANALYTICS]);
    expect(after?.id).toBe(session?.id);
    await waitUntil('another token', DEADLINE_MS, async () => {
      const { claims } = await latchkey.untilToken('grace');
      return JSON.stringify(claims['groups']) === '["analytics"]';
    });
  });

  test('a policy that lists another group, or spells one anew, ends nobody’s session who is in it', async () => {
    const session = async () => (await latchkey.user('ada')).status?.session?.id;
    const before = await session();
    for (const listed of [ANALYTICS.toUpperCase(), EVERYBODY, ANALYTICS]) {
      await onboard([listed]);
      await latchkey.untilStatus('ada', (status) => status.directory?.groups?.[0] === listed);
      expect(await session()).toBe(before);
    }
    await onboard([ANALYTICS, STAFF]);
  });

  test('leaving all groups ends the session, never the namespace; coming back takes a sign-in', async () => {
    await change(ANALYTICS, 'delete: member', `member: ${userDn('grace')}`);
    const out = await latchkey.untilStatus('grace', (status) => status.session === undefined);
    expect(out).toMatchObject({ phase: 'Suspended', directory: { state: 'Active', groups: [] } });
    expect(out.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'NotInGroups' }));
    await latchkey.untilNoToken('grace');
    expect((await signIn('grace')).text).toContain('NotInGroups');
    expect(await latchkey.kubectl(['get', 'namespace', 'grace', '-o', 'name'])).toContain('grace');

    await change(ANALYTICS, 'add: member', `member: ${userDn('grace')}`);
    await latchkey.untilStatus('grace', ({ phase }) => phase === 'Pending');
    expect(await latchkey.token('grace')).toBeUndefined();
    expect((await signIn('grace')).status).toBe(303);
    await latchkey.untilToken('grace');
  });

  test('a group that is gone takes nothing from anybody', async () => {
    await directory.modify(`dn: ${ANALYTICS}\nchangetype: modrdn\nnewrdn: cn=elsewhere\ndeleteoldrdn: 1\n`);
    // Two sweeps are over when somebody who left another way is out.
    await directory.modify(`dn: ${userDn('ken.t')}\nchangetype: delete\n`);
    await latchkey.untilStatus('ken-t', (status) => status.directory?.state === 'Missing');
    expect((await latchkey.user('ada')).status?.directory?.groups).toEqual([ANALYTICS]);
    expect(await latchkey.token('ada')).toBeDefined();
    await directory.modify(
      `dn: cn=elsewhere,${GROUPS_DN}\nchangetype: modrdn\nnewrdn: cn=analytics\ndeleteoldrdn: 1\n`,
    );
  });

  test('no more come in than the policy allows, and who is in stays', async () => {
    await onboard([ANALYTICS, STAFF], 3);
    for (const name of ['linus', 'late', 'linus'])
      expect((await signIn(name)).text).toContain('OnboardingFull');
    const told = await waitUntil('the refusals to be one series', DEADLINE_MS, async () => {
      const event = await refusalEvent('OnboardingFull');
      return event.series && event;
    });
    expect(told.note).not.toMatch(/linus|late/);
    expect((await signIn('ada')).status).toBe(303);
    await onboard([ANALYTICS, STAFF], 4);
    expect((await signIn('linus')).status).toBe(303);
    await latchkey.untilToken('linus');
  });

  test('without the right of the chart, it is said who can mend it', async () => {
    await onboard([ANALYTICS, STAFF]);
    const rules = await latchkey.kubectl(['get', 'clusterrole', 'latchkey-operator', '-o', 'json']);
    const role = JSON.parse(rules) as { rules: { resources: string[]; verbs: string[] }[] };
    const without = role.rules.filter(
      ({ resources, verbs }) => !(resources.includes('users') && verbs.includes('create')),
    );
    expect(without).toHaveLength(role.rules.length - 1);
    await latchkey.patch('clusterrole latchkey-operator', { rules: without });
    // The API server goes by a cache of its own.
    const resourceAttributes = { group: 'latchkey.dev', resource: 'users', verb: 'create' };
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: OPERATOR, resourceAttributes },
    };
    await waitUntil('the right to be gone', DEADLINE_MS, async () => {
      const args = ['create', '-f', '-', '-o', 'jsonpath={.status.allowed}'];
      return (await latchkey.kubectl(args, JSON.stringify(review))) === 'false';
    });
    expect((await signIn('late')).text).toContain('OnboardingNotAllowed');
    expect((await refusalEvent('OnboardingNotAllowed')).note).toContain('onboarding.enabled of the chart');
    expect(await names()).not.toContain('user.latchkey.dev/late');
  });
});
