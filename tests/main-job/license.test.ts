// The licence, end to end on a real cluster: its end, its renewal, clocks that are set, and an operator that is killed in between.
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenPolicy } from '../../src/api/token-policy.ts';
import { writeSecret } from '../../dev/latchkey/install.ts';
import { startOperator, type OperatorOptions } from '../../dev/latchkey/operator.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { vendor, type Terms } from '../support/vendor.ts';

const PASSWORD = 'correct horse battery staple';
const DEADLINE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
/** Long enough for the operator to say so, and to be killed, on a busy machine. */
const SOON_MS = 15_000;

const example = vendor();
const folder = temporaryFolder('latchkey-license');

/** Shifts the clock of the operator, and only that: libfaketime would move the timers of Node along with it. */
const clockFile = join(folder.path, 'clock');
const clockModule = join(folder.path, 'clock.mjs');
writeFileSync(clockFile, '0');
writeFileSync(
  clockModule,
  `import { readFileSync } from 'node:fs';
const RealDate = Date;
const offset = () => Number(readFileSync(${JSON.stringify(clockFile)}, 'utf8'));
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + offset()] : args));
  }
  static now() {
    return RealDate.now() + offset();
  }
};
`,
);

const OPTIONS: OperatorOptions = {
  flags: [
    example.flag,
    '--sign-in-attempts-per-address=1000',
    '--sign-in-attempts-per-user=1000',
    '--lease-duration=3s',
  ],
  nodeFlags: [`--import=${clockModule}`],
};

const PEOPLE = ['ada', 'grace', 'linus', 'barbara'];
const latchkey = await startLatchkey({
  accounts: Object.fromEntries(PEOPLE.map((name) => [name, PASSWORD])),
  values: example.values,
  ...OPTIONS,
});
afterEach(() => writeFileSync(clockFile, '0'));
afterAll(async () => {
  await latchkey.stop();
  folder.remove();
  example.remove();
});
const { kubectl, policy } = latchkey;

/** @returns when it ends */
async function putLicense(terms: Terms): Promise<Date> {
  const { text, expiresAt } = await example.issue(terms);
  await putText(text);
  return expiresAt;
}

const putText = (license: string) => writeSecret(latchkey.cluster, 'latchkey-license', { license });

function untilPolicy(what: string, holds: (policy: TokenPolicy) => boolean): Promise<TokenPolicy> {
  return waitUntil(`the policy to say ${what}`, DEADLINE_MS, async () => {
    const found = await policy();
    return holds(found) && found;
  });
}

const untilState = (state: string) => untilPolicy(state, ({ status }) => status?.license?.state === state);

const licensed = ({ status }: TokenPolicy) => status?.conditions?.find(({ type }) => type === 'Licensed');

async function signedIn(name: string): Promise<void> {
  const known = await kubectl(['get', 'users.latchkey.dev', name, '--ignore-not-found']);
  if (known === '') await latchkey.createUser(name);
  await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending' || phase === 'Active');
  await waitUntil(`${name} to be signed in`, DEADLINE_MS, async () => {
    const { status } = await latchkey.signIn(name, PASSWORD);
    return status === 303;
  });
  await latchkey.untilToken(name);
}

async function restartOperator(): Promise<void> {
  latchkey.operator = await startOperator(latchkey.cluster, OPTIONS);
}

async function killOperator(): Promise<void> {
  await latchkey.operator.kill();
  latchkey.operator.remove();
}

const untilTime = (date: Date) =>
  waitUntil('the end of the licence', DEADLINE_MS, () => Date.now() > date.getTime() + 1_100);

test('without a licence nobody has a token, and everybody is told what to do', async () => {
  await latchkey.createUser('ada');
  const { conditions } = await latchkey.untilStatus('ada', ({ phase }) => phase === 'Suspended');
  for (const type of ['Ready', 'Licensed'])
    expect(conditions?.find((condition) => condition.type === type)).toMatchObject({
      status: 'False',
      reason: 'LicenseMissing',
      message: expect.stringContaining('latchkey-license'),
    });
  expect(licensed(await policy())).toMatchObject({ status: 'False', reason: 'LicenseMissing' });
  const refused = await latchkey.signIn('ada', PASSWORD);
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('LicenseMissing');
});

test('with one, signing in brings a token, and the policy says until when', async () => {
  const expiresAt = await putLicense({ endsIn: 60 * DAY_MS });
  await signedIn('ada');
  const { status } = await untilState('Valid');
  expect(status?.license).toMatchObject({
    customer: 'Example Ltd',
    users: 100,
    expiresAt: expiresAt.toISOString().replace('.000Z', 'Z'),
  });
  const columns = await kubectl(['get', 'tokenpolicies']);
  expect(columns).toMatch(/LICENSE .*\n.* Valid /);
});

test('at its end every session ends with one write, every token goes, and a renewal alone brings none back', async () => {
  for (const name of ['ada', 'grace', 'linus']) await signedIn(name);
  const before = (await policy()).status?.epoch;
  await putLicense({ endsIn: DAY_MS });
  const expiring = await untilState('Expiring');
  // Renewed early, as far as anybody can tell: nobody lost anything.
  expect(expiring.status?.epoch).toBe(before);
  expect(await latchkey.token('ada')).toBeDefined();

  await untilTime(await putLicense({ endsIn: 3_000 }));
  const { status } = await untilState('Expired');
  expect(status?.epoch).not.toBe(before);
  for (const name of ['ada', 'grace', 'linus']) {
    await latchkey.untilNoToken(name);
    await latchkey.untilStatus(name, ({ phase, session }) => phase === 'Suspended' && !session);
  }
  const refused = await latchkey.signIn('ada', PASSWORD);
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('LicenseExpired');
  const events = await kubectl(['get', 'events', '-A', '-o', 'jsonpath={.items[*].reason}']);
  for (const reason of ['LicenseExpiringSoon', 'LicenseExpired', 'EverySessionEnded'])
    expect(events).toContain(reason);

  await putLicense({ endsIn: 60 * DAY_MS });
  const renewed = await untilState('Valid');
  expect(renewed.status?.epoch).toBe(status?.epoch);
  for (const name of ['ada', 'grace', 'linus']) {
    await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
    expect(await latchkey.token(name)).toBeUndefined();
  }
  await signedIn('ada');
  expect(await latchkey.token('grace')).toBeUndefined();
});

describe('with the operator killed', () => {
  test('across the end and the renewal, every session ends when it is up again', async () => {
    await signedIn('ada');
    const expiresAt = await putLicense({ endsIn: SOON_MS });
    const before = (await untilState('Expiring')).status?.epoch;
    await killOperator();
    await untilTime(expiresAt);
    await putLicense({ endsIn: 60 * DAY_MS });
    await restartOperator();
    const { status } = await untilState('Valid');
    expect(status?.epoch).not.toBe(before);
    await latchkey.untilNoToken('ada');
    await latchkey.untilStatus('ada', ({ phase, session }) => phase === 'Pending' && !session);
    await signedIn('ada');
  });

  test('across the end, with a renewal before it, nobody loses anything', async () => {
    await signedIn('ada');
    const session = (await latchkey.user('ada')).status?.session?.id;
    const expiresAt = await putLicense({ endsIn: SOON_MS });
    const before = (await untilState('Expiring')).status?.epoch;
    await killOperator();
    await putLicense({ endsIn: 60 * DAY_MS });
    expect(Date.now()).toBeLessThan(expiresAt.getTime());
    await untilTime(expiresAt);
    // Whatever touches the Secret later is no renewal.
    await kubectl(['-n', 'latchkey', 'label', 'secret', 'latchkey-license', `touched=at-${Date.now()}`]);
    await restartOperator();
    const { status } = await untilState('Valid');
    expect(status?.epoch).toBe(before);
    const { claims } = await latchkey.untilToken('ada');
    expect(claims['sid']).toBe(session);
  });

  test('across the end alone, every token goes when it is up again', async () => {
    await signedIn('ada');
    const expiresAt = await putLicense({ endsIn: SOON_MS });
    await untilState('Expiring');
    await killOperator();
    await untilTime(expiresAt);
    expect(await latchkey.token('ada')).toBeDefined();
    await restartOperator();
    await untilState('Expired');
    await latchkey.untilNoToken('ada');
    await putLicense({ endsIn: 60 * DAY_MS });
    await untilState('Valid');
  });
});

describe('a clock that is set', () => {
  test('forward by a year on the operator’s machine, ends nothing', async () => {
    await signedIn('ada');
    const before = (await policy()).status?.epoch;
    writeFileSync(clockFile, String(365 * DAY_MS));
    await untilPolicy(
      'ClockSkew',
      ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.reason === 'ClockSkew',
    );
    writeFileSync(clockFile, '0');
    const { status } = await untilPolicy(
      'Enabled',
      (found) => found.status?.conditions?.find(({ type }) => type === 'Ready')?.reason === 'Enabled',
    );
    expect(status?.epoch).toBe(before);
    expect(status?.license?.state).toBe('Valid');
  });

  test('back by a year on the operator’s machine, brings no expired licence back, with a restart or without', async () => {
    const expiresAt = await putLicense({ endsIn: 3_000 });
    await untilTime(expiresAt);
    await untilState('Expired');
    writeFileSync(clockFile, String(-365 * DAY_MS));
    const refused = async () => {
      const { status, text } = await latchkey.signIn('ada', PASSWORD);
      expect({ status, isSaid: text.includes('LicenseExpired') }).toEqual({ status: 403, isSaid: true });
    };
    await refused();
    await latchkey.operator.stop();
    latchkey.operator.remove();
    await restartOperator();
    await refused();
    expect((await policy()).status?.license?.state).toBe('Expired');
  });

  test('back on every machine, brings no expired licence back: the latest time is in the policy', async () => {
    // The API server's clock cannot be set here. A latest time that lies ahead is the same picture: it has been later.
    await putLicense({ endsIn: 60 * DAY_MS });
    await untilState('Valid');
    await signedIn('ada');
    const later = new Date(Date.now() + 61 * DAY_MS).toISOString();
    await kubectl([
      'patch', 'tokenpolicy', 'cluster', '--subresource=status', '--type=merge',
      '-p', JSON.stringify({ status: { license: { latestTime: later } } }),
    ]); // prettier-ignore
    const { status } = await untilState('Expired');
    expect(status?.license?.latestTime?.slice(0, 10)).toBe(later.slice(0, 10));
    await latchkey.untilNoToken('ada');
    const found = licensed(await policy());
    expect(found?.message).toContain('was set back');

    // docs/license.md says how it is forgotten.
    await kubectl(['patch', 'tokenpolicy', 'cluster', '--subresource=status', '--type=merge', '-p', '{"status":{"license":null}}']); // prettier-ignore
    await untilState('Valid');
    await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
  });
});

describe('a licence that does not count', () => {
  const eve = vendor();
  afterAll(() => eve.remove());
  const forged = async () => (await eve.issue({ endsIn: 60 * DAY_MS })).text;

  test.each<[string, string, () => Promise<unknown>]>([
    ['forged', 'LicenseInvalid', async () => putText(await forged())],
    ['cut off', 'LicenseInvalid', async () => putText((await forged()).slice(0, 80))],
    ['not yet valid', 'LicenseNotYetValid', () => putLicense({ beginsIn: DAY_MS, endsIn: 2 * DAY_MS })],
    ['expired', 'LicenseExpired', () => putLicense({ beginsIn: -2 * DAY_MS, endsIn: -DAY_MS })],
    ['empty', 'LicenseMissing', () => putText('')],
    ['deleted', 'LicenseMissing', () => kubectl(['-n', 'latchkey', 'delete', 'secret', 'latchkey-license'])],
  ])(
    'because it is %s, ends every session with the reason %s; the one before it alone brings none back',
    async (_, reason, put) => {
      await putLicense({ endsIn: 60 * DAY_MS });
      await signedIn('ada');
      await put();
      await untilPolicy(reason, (found) => licensed(found)?.reason === reason);
      await latchkey.untilNoToken('ada');
      expect((await latchkey.signIn('ada', PASSWORD)).text).toContain(reason);
      await putLicense({ endsIn: 60 * DAY_MS });
      await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
      expect(await latchkey.token('ada')).toBeUndefined();
    },
  );

  test('is refused without a word of it in the log', async () => {
    const text = await forged();
    await putText(text);
    await untilPolicy('LicenseInvalid', (found) => licensed(found)?.reason === 'LicenseInvalid');
    const log = latchkey.operator.log();
    expect(log).toContain('LicenseRefused');
    for (const part of text.split('.')) expect(log).not.toContain(part);
  });
});

describe('seats', () => {
  const reason = async (name: string) =>
    (await latchkey.user(name)).status?.conditions?.find(({ type }) => type === 'Licensed')?.reason;

  test('under a licence for fewer, nobody who has a token loses it, and the next one waits until a seat is free', async () => {
    await putLicense({ endsIn: 60 * DAY_MS });
    await untilState('Valid');
    for (const name of ['ada', 'grace', 'linus']) await signedIn(name);
    await putLicense({ endsIn: 60 * DAY_MS, users: 2 });
    await untilPolicy('2 users', ({ status }) => status?.license?.users === 2);
    await latchkey.createUser('barbara');
    const { conditions } = await latchkey.untilStatus('barbara', ({ phase }) => phase === 'Suspended');
    expect(conditions?.find(({ type }) => type === 'Licensed')).toMatchObject({
      status: 'False',
      reason: 'NoSeat',
    });
    const refused = await latchkey.signIn('barbara', PASSWORD);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('NoSeat');
    for (const name of ['ada', 'grace', 'linus']) {
      expect(await latchkey.token(name)).toBeDefined();
      expect(await reason(name)).toBe('Seated');
    }

    await latchkey.patch('users.latchkey.dev linus', { spec: { disabled: true } });
    await latchkey.untilNoToken('linus');
    expect(await reason('barbara')).toBe('NoSeat');
    await latchkey.patch('users.latchkey.dev grace', { spec: { disabled: true } });
    await latchkey.untilStatus('barbara', ({ phase }) => phase === 'Pending');
    await signedIn('barbara');
    await latchkey.patch('users.latchkey.dev grace', { spec: { disabled: false } });
    await latchkey.untilStatus('grace', ({ phase }) => phase === 'Suspended');
    expect(await reason('grace')).toBe('NoSeat');
    expect(await latchkey.token('barbara')).toBeDefined();
  });
});
