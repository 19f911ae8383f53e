// Answers that no real server can be made to give, from a scripted one: each is refused by its name, and nobody is lost.
// Each test waits, and has its own server: side by side they take a fifth of the time.
import { describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../../../dev/wait-until.ts';
import type { LdapSettings } from '../../../../src/directory/ldap/settings.ts';
import {
  entryMessage,
  startScriptedLdap,
  type Script,
  type ScriptedAnswer,
  type ScriptedEntry,
  type ScriptedLdap,
  type ScriptedSearch,
} from '../../support/scripted-ldap.ts';
import { besideOthers } from '../../../support/after-test.ts';
import { watchDirectory, type Watched } from '../../support/watched.ts';

const DEADLINE_MS = 60_000;
/** Far more than an answer takes that comes; where none does, the tests wait for less. */
const ANSWER_MS = 5_000;
const SOON_LATE = { timeoutMs: 500 };
const NAMES = ['ada', 'grace'];
const OFTEN = { changesIntervalMs: 100, sweepIntervalMs: 100 };
const MEBIBYTE = 1024 * 1024;

const person = (uid: string, attributes: ScriptedEntry['attributes'] = {}): ScriptedEntry => ({
  dn: `uid=${uid},dc=example,dc=org`,
  attributes: { uid: [uid], entryUUID: [`id-${uid}`], ...attributes },
});
const EVERYBODY: ScriptedAnswer = { entries: NAMES.map((name) => person(name)), cookie: '' };

/** Once `bad` is set, it answers every search, and nothing else is said any more. */
async function watched(
  settings: Partial<LdapSettings> = {},
  script: Partial<Script> = {},
): Promise<{
  watch: Watched;
  server: ScriptedLdap;
  turn(to: (search: ScriptedSearch) => ScriptedAnswer): void;
}> {
  let answer: (search: ScriptedSearch) => ScriptedAnswer = () => EVERYBODY;
  const server = await startScriptedLdap({ ...script, search: (search) => answer(search) });
  const watch = watchDirectory(
    {
      url: server.url,
      startTls: false,
      caPem: server.caPem,
      bindDN: 'cn=latchkey,dc=example,dc=org',
      bindPassword: () => Promise.resolve('right'),
      baseDN: 'dc=example,dc=org',
      timeoutMs: ANSWER_MS,
      ...settings,
    },
    NAMES,
    OFTEN,
  );
  await watch.untilAllAreFound();
  return {
    watch,
    server,
    turn(to) {
      answer = to;
    },
  };
}

/** It is called by its name, counted under it, and takes nothing from anybody; a good answer later counts again. */
async function isRefused(
  fault: string,
  bad: (search: ScriptedSearch) => ScriptedAnswer,
  settings: Partial<LdapSettings> = {},
): Promise<void> {
  const { watch, turn } = await watched(settings);
  turn(bad);
  await waitUntil(`the fault ${fault}`, DEADLINE_MS, () => watch.watch.hearing().fault !== undefined);
  expect(watch.watch.hearing()).toMatchObject({ isSilent: true, fault: { fault } });
  expect(watch.states()).toEqual(['Found', 'Found']);
  const outcomes = [...watch.counts().keys()];
  expect(outcomes.some((outcome) => outcome.endsWith(` ${fault}`))).toBe(true);
  expect(watch.log()).toContainEqual(expect.objectContaining({ event: 'DirectorySilent', fault }));
  turn(() => EVERYBODY);
  await waitUntil('it to be heard again', DEADLINE_MS, () => !watch.watch.hearing().isSilent);
}

describe('an answer', () => {
  test.concurrent.each<[string, string, (search: ScriptedSearch) => ScriptedAnswer]>([
    ['that does not come', 'TooSlow', () => ({ silent: true })],
    ['that stops in the middle of the entries', 'CutOff', () => ({ entries: [person('ada')], cutOff: true })],
    [
      'that stops in the middle of a message',
      'CutOff',
      ({ messageId }) => ({ bytes: entryMessage(messageId, person('ada')).subarray(0, 20), cutOff: true }),
    ],
    ['of one message that is too long', 'TooLong', () => ({ bytes: Buffer.from('30847fffffff0201', 'hex') })],
    [
      'of one entry that is too long',
      'TooLong',
      () => ({ entries: [person('ada', { description: ['x'.repeat(MEBIBYTE)] })], cookie: '' }),
    ],
    ['that is no LDAP', 'Malformed', () => ({ bytes: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') })],
    [
      'to another request',
      'CutOff',
      ({ messageId }) => ({ bytes: entryMessage(messageId - 1, person('ada')) }),
    ],
    ['that sends on to another server', 'Referral', () => ({ resultCode: 10 })],
    ['with nothing but references', 'NobodyFound', () => ({ references: ['ldap://other'], cookie: '' })],
    ['that ends at a limit of time', 'LimitExceeded', () => ({ ...EVERYBODY, resultCode: 3 })],
    ['that ends at a limit of size', 'LimitExceeded', () => ({ entries: [person('ada')], resultCode: 4 })],
    ['that ends at a limit of its admin', 'LimitExceeded', () => ({ resultCode: 11 })],
    ['that there is nothing at the base', 'NoSuchBase', () => ({ resultCode: 32 })],
    ['that it may not be read', 'SearchRefused', () => ({ resultCode: 50 })],
    ['that it is busy', 'ServerFailed', () => ({ resultCode: 51 })],
    ['of nobody at all', 'NobodyFound', () => ({ cookie: '' })],
    [
      'whose page comes again and again',
      'EndlessPaging',
      () => ({ entries: [person('ada'), person('grace')], cookie: 'again' }),
    ],
    ['of empty pages without an end', 'EndlessPaging', () => ({ cookie: 'more' })],
  ])(
    '%s is refused as %s',
    besideOthers((_name, fault, bad) => isRefused(fault, bad, fault === 'TooSlow' ? SOON_LATE : {})),
  );

  test.concurrent(
    'that stops in the middle of a message, and leaves it at that, is refused as TooSlow',
    besideOthers(() =>
      isRefused(
        'TooSlow',
        ({ messageId }) => ({ bytes: entryMessage(messageId, person('ada')).subarray(0, 20) }),
        SOON_LATE,
      ),
    ),
  );

  test.concurrent(
    'on which the server dies is nobody’s end',
    besideOthers(async () => {
      const { watch, turn } = await watched();
      turn(() => ({ entries: [person('grace')], cutOff: true }));
      await waitUntil('it to be silent', DEADLINE_MS, () => watch.watch.hearing().isSilent);
      expect(watch.states()).toEqual(['Found', 'Found']);
    }),
  );

  test.concurrent(
    'with fewer people is believed only after each of them was asked for by name',
    besideOthers(async () => {
      const { watch, turn } = await watched();
      turn(() => ({ entries: [person('grace')], cookie: '' }));
      await watch.until('ada', ({ finding }) => finding?.state === 'Missing');
      expect(watch.states()).toEqual(['Missing', 'Found']);
    }),
  );

  test.concurrent(
    'with references cannot say of anybody that he is missing',
    besideOthers(async () => {
      const { watch, turn } = await watched();
      turn(() => ({ entries: [person('grace')], references: ['ldap://other/dc=other'], cookie: '' }));
      await watch.until('ada', ({ finding }) => finding?.state === 'Ambiguous');
      expect(watch.states()).toEqual(['Ambiguous', 'Found']);
    }),
  );

  test.concurrent(
    'with somebody twice is one account',
    besideOthers(async () => {
      const { watch, turn } = await watched();
      turn(() => ({ entries: [person('ada'), person('grace'), person('ada')], cookie: '' }));
      const before = watch.watch.looks().sweptAt;
      await waitUntil('two more sweeps', DEADLINE_MS, () => (watch.counts().get('sweep Answered') ?? 0) > 3);
      expect(watch.watch.looks().sweptAt).not.toEqual(before);
      expect(watch.states()).toEqual(['Found', 'Found']);
    }),
  );

  test.concurrent(
    'with two accounts of one username, in another case, says nothing of either',
    besideOthers(async () => {
      const { watch, turn } = await watched();
      const other = { ...person('ADA'), attributes: { uid: ['ADA'], entryUUID: ['id-other'] } };
      turn(() => ({ entries: [person('ada'), other, person('grace')], cookie: '' }));
      await watch.until('ada', ({ finding }) => finding?.state === 'Ambiguous');
      expect(watch.states()).toEqual(['Ambiguous', 'Found']);
    }),
  );
});

test.concurrent(
  'sweeps that never come to an end are said, although the changes between them do',
  besideOthers(async () => {
    const root = { dsServiceName: ['cn=server'], highestCommittedUSN: ['42'] };
    const { watch, turn } = await watched({ dialect: 'generic' }, { root });
    turn(() => ({ entries: [person('ada')], resultCode: 4 }));
    await waitUntil('it to be said', DEADLINE_MS, () => watch.log().length > 0);
    expect(watch.log()).toEqual([
      expect.objectContaining({ event: 'DirectorySweepFails', fault: 'LimitExceeded' }),
    ]);
    expect(watch.counts().get('sweep LimitExceeded')).toBeGreaterThan(1);
    expect(watch.watch.hearing().isSilent).toBe(false);
    expect(watch.states()).toEqual(['Found', 'Found']);
  }),
);

describe('a service account whose password was changed', () => {
  test.concurrent(
    'leaves everybody as they are, and says what to do',
    besideOthers(async () => {
      let resultCode = 0;
      const { watch, turn } = await watched({}, { bind: () => resultCode });
      resultCode = 49;
      turn(() => ({ cutOff: true }));
      await waitUntil('the refusal', DEADLINE_MS, () => watch.watch.hearing().fault?.fault === 'BindRefused');
      expect(watch.watch.hearing().fault?.message).toMatch(/Check bindDN and its password/);
      expect(watch.states()).toEqual(['Found', 'Found']);
      expect(watch.counts().get('connect BindRefused')).toBeGreaterThan(0);
      resultCode = 0;
      turn(() => EVERYBODY);
      await waitUntil('it to be heard again', DEADLINE_MS, () => !watch.watch.hearing().isSilent);
    }),
  );
});

describe('a value of an entry that cannot be used is counted, and says nothing of the account:', () => {
  const LONG = 'x'.repeat(2_000);
  const BINARY = Buffer.from([0xff, 0xfe, 0x00]);
  test.concurrent.each<[string, string, ScriptedEntry['attributes'], Partial<LdapSettings>]>([
    ['binary', 'Binary', { pwdEndTime: [BINARY] }, {}],
    ['two where one belongs', 'SeveralValues', { pwdEndTime: ['20300101000000Z', '20300102000000Z'] }, {}],
    ['too long', 'TooLong', { pwdEndTime: [LONG] }, {}],
    ['no time', 'Malformed', { pwdEndTime: ['tomorrow'] }, {}],
    ['an id of several values', 'SeveralValues', { mark: ['one', 'two'] }, { idAttribute: 'mark' }],
    ['an id that is no text', 'Binary', { mark: [BINARY] }, { idAttribute: 'mark' }],
    ['an id that is too long', 'TooLong', { mark: [LONG] }, { idAttribute: 'mark' }],
    ['no id', 'NotThere', {}, { idAttribute: 'mark' }],
  ])(
    '%s',
    besideOthers(async (_name, fault, attributes, settings) => {
      const { watch, turn } = await watched({ dialect: 'openldap', ...settings });
      const grace = person('grace', { mark: ['id-grace'] });
      turn(() => ({ entries: [person('ada', attributes), grace], cookie: '' }));
      await watch.until('ada', ({ finding }) => finding?.spells[0]?.fault === fault);
      expect(watch.watch.find('ada').finding).toMatchObject({
        state: 'Found',
        spells: [{ reason: 'Unreadable' }],
      });
      await watch.until('grace', ({ finding }) => finding?.spells.length === 0);
      expect(watch.counts().get(fault)).toBeGreaterThan(0);
    }),
  );

  test.concurrent(
    'a username that is no text is nobody’s',
    besideOthers(async () => {
      const { watch, turn } = await watched();
      const unreadable = { dn: 'cn=x,dc=example,dc=org', attributes: { uid: [BINARY] } };
      turn(() => ({ entries: [person('ada'), person('grace'), unreadable], cookie: '' }));
      await waitUntil('it to be counted', DEADLINE_MS, () => (watch.counts().get('Binary') ?? 0) > 0);
      expect(watch.states()).toEqual(['Found', 'Found']);
    }),
  );
});

describe('pages', () => {
  test.concurrent(
    'that are empty now and then, and whose cookie is always the same, are read to their end',
    besideOthers(async () => {
      const { watch, turn, server } = await watched();
      const pages: ScriptedAnswer[] = [
        { cookie: 'same' },
        { entries: [person('grace')], cookie: 'same' },
        { cookie: 'same' },
        { entries: [person('ada', { pwdEndTime: ['20200101000000Z'] })], cookie: '' },
      ];
      const first = server.searches();
      turn(({ before }) => pages[(before - first) % pages.length] ?? EVERYBODY);
      await waitUntil('two whole sweeps', DEADLINE_MS, () => server.searches() > first + 2 * pages.length);
      expect(watch.states()).toEqual(['Found', 'Found']);
      expect(watch.watch.hearing().isSilent).toBe(false);
    }),
  );
});
