// Real OpenLDAP servers that are set up wrong, or change while they are watched: each fault by its name, and nobody lost.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../../../../dev/certificates.ts';
import { SERVICE_DN } from '../../../../dev/directories/entries.ts';
import { startOpenLdap, type OpenLdap } from '../../../../dev/directories/openldap.ts';
import { temporaryFolder } from '../../../../dev/temporary-folder.ts';
import { waitUntil } from '../../../../dev/wait-until.ts';
import { foldUsername } from '../../../../src/domain/effective.ts';
import { ldapDirectory } from '../../../../src/directory/ldap/ldap-directory.ts';
import type { LdapSettings } from '../../../../src/directory/ldap/settings.ts';
import { newServingCertificate } from '../../../../src/tls/serving-certificate.ts';
import { startTcpProxy } from '../../../support/tcp-proxy.ts';
import { afterTest } from '../../../support/after-test.ts';
import { startBareSlapd } from '../../support/bare-slapd.ts';
import { directoryErrorOf } from '../../support/directory-error.ts';
import { startProxy } from '../../support/proxy.ts';
import { settingsOf } from '../../support/settings-of.ts';
import { watchDirectory } from '../../support/watched.ts';

const DEADLINE_MS = 60_000;
const NAMES = ['ada', 'grace', 'linus'];
const OFTEN = { changesIntervalMs: 100, sweepIntervalMs: 100 };
const PASSWORD = 'Analytical-Engine-1843';
const PEOPLE = 'ou=people,dc=example,dc=org';
const BEFORE = new Date('2020-01-01T00:00:00Z');

const folder = temporaryFolder('latchkey-bad-servers');
let good: OpenLdap;
beforeAll(async () => {
  good = await server({ globalLines: ['referral ldap://127.0.0.1:9/'] });
});
afterAll(async () => {
  await good.stop();
  folder.remove();
});

const server = (options: Partial<Parameters<typeof startOpenLdap>[0]>) =>
  startOpenLdap({ users: NAMES.map((uid) => ({ uid, cn: uid, password: PASSWORD })), ...options });
const settings = (changes: Partial<LdapSettings> = {}) => settingsOf(good, { baseDN: PEOPLE, ...changes });

/** Both the watch and a sign-in are told the same, and neither of them believes anything of anybody. */
async function isFault(fault: string, wrong: LdapSettings, says: RegExp): Promise<void> {
  const watched = watchDirectory(wrong, NAMES, OFTEN);
  await waitUntil(`the fault ${fault}`, DEADLINE_MS, () => watched.watch.hearing().fault);
  expect(watched.watch.hearing().fault).toMatchObject({ fault, message: expect.stringMatching(says) });
  // Whoever was seen before it broke off is there.
  for (const state of watched.states()) expect([undefined, 'Found']).toContain(state);
  const directory = ldapDirectory(wrong);
  afterTest(() => directory.close());
  // Whoever searches for one name alone does not come to a limit, nor miss the others.
  if (fault === 'LimitExceeded' || fault === 'NobodyFound') return;
  expect((await directoryErrorOf(directory.verify('ada', PASSWORD), [PASSWORD])).fault).toBe(fault);
}

describe('a server', () => {
  test('whose certificate has expired', async () => {
    const { serving, trusted } = await newServingCertificate(['127.0.0.1'], BEFORE);
    const key = serving.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const port = await startBareSlapd({ certificate: serving.certificate, key });
    const url = `ldaps://127.0.0.1:${port}`;
    await isFault('CertificateExpired', settings({ url, caPem: trusted.join('') }), /has expired: renew it/);
  });

  test('whose certificate names another host', async () => {
    const proxy = await startProxy({ to: Number(new URL(good.ldapsUrl).port), host: '127.0.0.2' });
    const url = `ldaps://127.0.0.2:${proxy.port}`;
    await isFault('CertificateOfAnotherHost', settings({ url }), /names another host/);
  });

  test('whose certificate is of an authority that is not trusted', async () => {
    const { certFile } = await createAuthority(join(folder.path, 'pki'), 'another CA');
    const caPem = readFileSync(certFile, 'utf8');
    await isFault('CertificateUntrusted', settings({ caPem }), /not trusted: set caPem/);
  });

  test('that refuses StartTLS', async () => {
    const url = `ldap://127.0.0.1:${await startBareSlapd()}`;
    await isFault('StartTlsRefused', settings({ url, startTls: true }), /turn it on there, or use ldaps/);
  });

  test('that refuses the service account', () =>
    isFault(
      'BindRefused',
      settings({ bindPassword: () => Promise.resolve('wrong') }),
      /Check bindDN and its password/,
    ));

  test('that has nothing at the base DN', () =>
    isFault('NoSuchBase', settings({ baseDN: `ou=nothing,${PEOPLE}` }), /check baseDN/));

  test('that sends on to another one for the base DN', () =>
    isFault('Referral', settings({ baseDN: 'dc=example,dc=com' }), /name the other one there/));

  test('that finds nobody below the base DN', () =>
    isFault('NobodyFound', settings({ baseDN: 'ou=groups,dc=example,dc=org' }), /which is not believed/));

  test('that ends a search for everybody at a limit of size', async () => {
    const limited = await server({ serviceLimits: 'size.soft=2 size.hard=2 size.prtotal=2' });
    afterTest(() => limited.stop());
    await isFault('LimitExceeded', settingsOf(limited, { baseDN: PEOPLE }), /size\.prtotal=unlimited/);
  });
});

describe('while everybody is signed in', () => {
  test('the service account gets another password: nobody is inactive, and the new one counts at once', async () => {
    const changing = await server({});
    afterTest(() => changing.stop());
    const proxy = await startTcpProxy(Number(new URL(changing.ldapsUrl).port));
    afterTest(() => proxy.close());
    let password = changing.bindPassword;
    const watched = watchDirectory(
      settingsOf(changing, {
        baseDN: PEOPLE,
        url: `ldaps://127.0.0.1:${proxy.port}`,
        bindPassword: () => Promise.resolve(password),
      }),
      NAMES,
      OFTEN,
    );
    await watched.untilAllAreFound();
    await changing.modify(
      `dn: ${SERVICE_DN}\nchangetype: modify\nreplace: userPassword\nuserPassword: another-one\n`,
    );
    proxy.cut(1);
    await waitUntil('the refusal', DEADLINE_MS, () => watched.watch.hearing().fault?.fault === 'BindRefused');
    expect(watched.states()).toEqual(NAMES.map(() => 'Found'));
    password = 'another-one';
    await waitUntil('it to be heard again', DEADLINE_MS, () => !watched.watch.hearing().isSilent);
    expect(watched.states()).toEqual(NAMES.map(() => 'Found'));
  });

  test('the server ends idle connections: that is no silence', async () => {
    const impatient = await server({ globalLines: ['idletimeout 1'] });
    afterTest(() => impatient.stop());
    const watched = watchDirectory(settingsOf(impatient, { baseDN: PEOPLE }), NAMES, {
      changesIntervalMs: 3_000,
      sweepIntervalMs: 3_000,
    });
    await waitUntil(
      'it to be cut off twice',
      DEADLINE_MS,
      () => (watched.counts().get('connect Answered') ?? 0) > 2,
    );
    expect(watched.states()).toEqual(NAMES.map(() => 'Found'));
    expect(watched.log()).toEqual([]);
  });
});

describe('names that need escaping', () => {
  const names = [
    'a,b',
    'a+b',
    'o"brien',
    'back\\slash',
    'less<more>',
    'semi;colon',
    '#hash',
    'eq=ual',
    'star*',
    '(parentheses)',
    '*',
    'x)(uid=*',
    'jürgen',
    '名前',
    '🔑key',
    '\\2a',
    'two  spaces',
    'MiXed',
  ];
  const escaped = (name: string) =>
    [...Buffer.from(name)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const dnOf = (name: string) => `uid=${escaped(name)},${PEOPLE}`;

  test('are found by the watch one by one, and each is its own', async () => {
    const ldif = names.map((name) =>
      [
        `dn:: ${base64(dnOf(name))}`,
        'changetype: add',
        'objectClass: inetOrgPerson',
        `uid:: ${base64(name)}`,
        'cn: x',
        'sn: x',
        'employeeType: here',
        `userPassword: ${PASSWORD}`,
        '',
      ].join('\n'),
    );
    await good.modify(ldif.join('\n'));
    const strange = settings({ inactiveFilter: '(employeeType=left)' });
    const watched = watchDirectory(strange, names, OFTEN);
    await watched.untilAllAreFound();

    const directory = ldapDirectory(strange);
    afterTest(() => directory.close());
    for (const name of names)
      expect([name, await directory.verify(name, PASSWORD)]).toMatchObject([name, { outcome: 'Accepted' }]);

    const [gone = '', left = '', ...rest] = names;
    await good.modify(`dn:: ${base64(dnOf(gone))}\nchangetype: delete\n`);
    await good.modify(
      `dn:: ${base64(dnOf(left))}\nchangetype: modify\nreplace: employeeType\nemployeeType: left\n`,
    );
    await watched.until(gone, ({ finding }) => finding?.state === 'Missing');
    await watched.until(left, ({ finding }) => finding?.spells[0]?.reason === 'Excluded');
    const others = rest.map((name) => watched.watch.find(foldUsername(name)).finding);
    expect(others.every((finding) => finding?.state === 'Found' && finding.spells.length === 0)).toBe(true);
  });
});
