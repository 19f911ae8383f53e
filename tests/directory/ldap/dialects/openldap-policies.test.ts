// Which password policy an entry has, and what it says: read by what the account that searches may see.
import { describe, expect, test } from '@jest/globals';
import {
  passwordPolicies,
  policyIn,
  readPolicyOf,
  type Ask,
} from '../../../../src/directory/ldap/dialects/openldap-policies.ts';
import { entryWith } from '../../support/entry-with.ts';

type Attributes = Record<string, (string | Buffer)[]>;

describe('a policy', () => {
  test.each<[Attributes, object]>([
    [{}, {}],
    [
      { pwdLockoutDuration: ['900'], pwdMaxAge: ['86400'] },
      { lockoutMs: 900_000, maxAgeMs: 86_400_000 },
    ],
    [{ pwdLockoutDuration: ['0'], pwdMaxAge: ['0'] }, {}],
    [{ pwdLockoutDuration: ['-1'] }, {}],
    [{ pwdLockoutDuration: ['soon'], pwdMaxAge: ['60'] }, { maxAgeMs: 60_000 }],
    [{ pwdLockoutDuration: ['60', '70'] }, {}],
    [{ pwdMaxAge: ['9999999999999'] }, {}],
    [{ pwdMaxAge: [Buffer.from([0xff])] }, {}],
  ])('%j says %j', (attributes, policy) => {
    expect(policyIn(entryWith(attributes))).toEqual(policy);
  });
});

const DEFAULT = 'cn=default,dc=example';
const OWN = 'cn=own,dc=example';

/** A directory of these entries by DN; what is not there may not be read. */
function directory(entries: Record<string, Attributes>): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    ask: ({ baseDN }) => {
      asked.push(baseDN);
      const found = entries[baseDN];
      return Promise.resolve({ resultCode: found ? 0 : 32, entries: found ? [entryWith(found)] : [] });
    },
  };
}

const EVERYTHING = {
  'cn=config': { olcPPolicyDefault: [DEFAULT] },
  [DEFAULT]: { pwdMaxAge: ['10'] },
  [OWN]: { pwdMaxAge: ['20'] },
};
const PLAIN = entryWith({});
const SPECIAL = entryWith({ pwdPolicySubentry: [OWN] });

describe('an entry has', () => {
  test.each([
    ['the policy that it names', SPECIAL, EVERYTHING, { maxAgeMs: 20_000 }],
    ['else the default of the server', PLAIN, EVERYTHING, { maxAgeMs: 10_000 }],
    [
      'none where its own cannot be read, and not the default',
      SPECIAL,
      { ...EVERYTHING, [OWN]: undefined },
      {},
    ],
    ['none where the configuration cannot be read', PLAIN, { [DEFAULT]: EVERYTHING[DEFAULT] }, {}],
    ['none where the default cannot be read', PLAIN, { 'cn=config': EVERYTHING['cn=config'] }, {}],
    [
      'none where two databases have two defaults',
      PLAIN,
      { ...EVERYTHING, 'cn=config': { olcPPolicyDefault: [DEFAULT, OWN] } },
      {},
    ],
    ['none where it names two', entryWith({ pwdPolicySubentry: [OWN, DEFAULT] }), { [OWN]: {} }, {}],
  ])('%s', async (_name, entry, entries, policy) => {
    const { ask } = directory(entries as Record<string, Attributes>);
    expect(await readPolicyOf(ask, entry)).toEqual(policy);
    const policies = passwordPolicies(ask);
    await policies.refresh();
    policies.of(entry);
    await policies.readNew();
    expect(policies.of(entry)).toEqual(policy);
  });
});

test('for all entries of a sweep a policy is read once, the first time by the next look at it', async () => {
  const { ask, asked } = directory(EVERYTHING);
  const policies = passwordPolicies(ask);
  await policies.refresh();
  expect([policies.of(PLAIN), policies.of(SPECIAL), policies.of(SPECIAL)]).toEqual([
    { maxAgeMs: 10_000 },
    undefined,
    undefined,
  ]);
  await policies.readNew();
  await policies.readNew();
  expect(policies.of(SPECIAL)).toEqual({ maxAgeMs: 20_000 });
  expect(asked).toEqual(['cn=config', DEFAULT, OWN]);
});

test('a policy that changes counts from the next sweep on', async () => {
  const entries = { ...EVERYTHING };
  const policies = passwordPolicies((options) => directory(entries).ask(options));
  await policies.refresh();
  entries[DEFAULT] = { pwdMaxAge: ['30'] };
  await policies.refresh();
  expect(policies.of(PLAIN)).toEqual({ maxAgeMs: 30_000 });
});

test('of more policies than anybody has, those beyond are as if they could not be read', async () => {
  const policies = passwordPolicies(directory({}).ask);
  for (let index = 0; index < 200; index++)
    expect(policies.of(entryWith({ pwdPolicySubentry: [`cn=${index}`] }))).toBeUndefined();
  expect(policies.of(entryWith({ pwdPolicySubentry: ['cn=one-more'] }))).toEqual({});
});
