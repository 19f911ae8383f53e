// Where a setting comes from, and that a person is told of every wrong one, with no value in the message.
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { argument, count, durationText, list, text, yesOrNo } from '../../src/config/fields.ts';
import { describeSettings, readSettings, SettingsError } from '../../src/config/read-settings.ts';

const folder = temporaryFolder('latchkey-settings');
afterAll(() => folder.remove());

const SCHEMA = z.object({
  externalUrl: text('Where people reach it.').default('https://unset.example.org'),
  bindPassword: text('A password.').optional(),
  perUser: count('How many.', 4),
  window: durationText('How long.', '15m'),
  audiences: list('Who.', 'latchkey'),
  startTls: yesOrNo('Whether.'),
});
const SECRET = 'hunter2-correct-horse';

let files = 0;
function file(content: string): string {
  files += 1;
  const path = join(folder.path, `${files}.yaml`);
  writeFileSync(path, content);
  return path;
}

function refusal(
  argv: readonly string[],
  env: Record<string, string> = {},
  schema: z.ZodObject = SCHEMA,
): string {
  try {
    readSettings(schema, { argv, env });
  } catch (error) {
    if (error instanceof SettingsError) {
      // The whole error, as a log or a crash would show it.
      expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(SECRET);
      return error.message;
    }
    throw error;
  }
  throw new Error('the settings were taken');
}

describe('where a setting comes from', () => {
  const variable = { LATCHKEY_EXTERNAL_URL: 'https://variable.example.org' };
  const config = `--config=${file('externalUrl: https://file.example.org')}`;
  const urlOf = (argv: string[], env: Record<string, string> = {}) =>
    readSettings(SCHEMA, { argv, env }).externalUrl;

  test('a flag counts before a variable, that before the file, that before the default', () => {
    const flag = '--external-url=https://flag.example.org';
    expect(urlOf([flag, config], variable)).toBe('https://flag.example.org');
    expect(urlOf([config], variable)).toBe('https://variable.example.org');
    expect(urlOf([config])).toBe('https://file.example.org');
    expect(urlOf([])).toBe('https://unset.example.org');
  });

  test('each setting by itself: one from each place make one whole', () => {
    const path = file('window: 30s\nperUser: 9\naudiences: [file, queue]\nstartTls: true');
    expect(
      readSettings(SCHEMA, {
        argv: ['--per-user', '7'],
        env: { LATCHKEY_CONFIG: path, LATCHKEY_WINDOW: '1m', LATCHKEY_EXTERNAL_URL: 'https://v.example.org' },
      }),
    ).toEqual({
      externalUrl: 'https://v.example.org',
      perUser: 7,
      window: 60_000,
      audiences: ['file', 'queue'],
      startTls: true,
    });
  });

  test('the file that --config names counts before that of LATCHKEY_CONFIG', () => {
    const other = file('externalUrl: https://other.example.org');
    expect(urlOf([config], { LATCHKEY_CONFIG: other })).toBe('https://file.example.org');
  });

  test('the last of two equal flags counts', () => {
    expect(urlOf(['--external-url=https://a', '--external-url=https://b'])).toBe('https://b');
  });

  test('a switch needs no value', () => {
    expect(readSettings(SCHEMA, { argv: ['--start-tls'], env: {} }).startTls).toBe(true);
    const off = { argv: ['--start-tls=false'], env: { LATCHKEY_START_TLS: 'true' } };
    expect(readSettings(SCHEMA, off).startTls).toBe(false);
  });

  test('variables that Kubernetes sets for a Service named latchkey are not settings', () => {
    const env = { LATCHKEY_SERVICE_HOST: '10.96.0.7', LATCHKEY_PORT: 'tcp://10.96.0.7:443' };
    expect(urlOf([], env)).toBe('https://unset.example.org');
  });

  test.each([
    ['', {}],
    ['# nothing yet', {}],
    ['perUser: 4', { perUser: 4 }],
    ['perUser: "4"', { perUser: 4 }],
    ['audiences: a, b', { audiences: ['a', 'b'] }],
    ['audiences: [a, 7]', { audiences: ['a', '7'] }],
    ['audiences: []', { audiences: [] }],
    ['bindPassword: yes', { bindPassword: 'yes' }],
    ['bindPassword: 2024-01-31', { bindPassword: '2024-01-31' }],
  ])('the file %j is read as a person means it', (content, some) => {
    expect(readSettings(SCHEMA, { argv: [`--config=${file(content)}`], env: {} })).toMatchObject(some);
  });
});

describe('what is wrong is said', () => {
  test('for every setting, by its flag and its variable, never with its value', () => {
    const strict = SCHEMA.extend({ externalUrl: text('Where.'), issuerUrl: text('Who.') });
    const message = refusal(
      ['--window', SECRET, `--config=${file(`startTls: ${SECRET}`)}`],
      { LATCHKEY_PER_USER: SECRET, LATCHKEY_BIND_PASSWORD: '' },
      strict,
    );
    expect(message.split('\n').toSorted()).toEqual([
      '--bind-password (or LATCHKEY_BIND_PASSWORD): must not be empty',
      '--external-url (or LATCHKEY_EXTERNAL_URL): is required',
      '--issuer-url (or LATCHKEY_ISSUER_URL): is required',
      '--per-user (or LATCHKEY_PER_USER): must be a whole number above 0',
      '--start-tls (or LATCHKEY_START_TLS): must be true or false',
      '--window (or LATCHKEY_WINDOW): must be a duration: write for example 15m',
    ]);
  });

  test.each<[string, string[], string]>([
    ['a flag that does not exist', [`--extrenal-url=${SECRET}`], "Unknown option '--extrenal-url'"],
    ['the same with a space', ['--extrenal-url', SECRET], "Unknown option '--extrenal-url'"],
    ['a key of the file as a flag', [`--externalUrl=${SECRET}`], "Unknown option '--externalUrl'"],
    ['a short flag', [`-p${SECRET}`], "Unknown option '-p'"],
    ['an argument without a flag', [SECRET], 'There is an argument that belongs to no flag'],
    ['a value too many', ['--window', '1m', SECRET], 'There is an argument that belongs to no flag'],
    ['a flag without its value', ['--window'], "Option '--window <value>' argument missing"],
    ['a flag before a flag', ['--window', `--x=${SECRET}`], "Option '--window' argument is ambiguous"],
  ])('for %s', (_what, argv, message) => {
    expect(refusal(argv)).toBe(`${message}. Run the command with --help for its flags.`);
  });

  test.each<[string, string, string]>([
    ['no YAML', `bindPassword: "${SECRET}`, 'cannot be read as YAML'],
    ['the same key twice', `bindPassword: a\nbindPassword: ${SECRET}`, 'cannot be read as YAML'],
    ['two documents', `bindPassword: a\n---\nbindPassword: ${SECRET}`, 'cannot be read as YAML'],
    ['an alias of nothing', `bindPassword: *${SECRET}`, 'cannot be read as YAML'],
    ['a list', `- ${SECRET}`, 'has to hold settings, one "name: value" a line'],
    ['a word', SECRET, 'has to hold settings, one "name: value" a line'],
    ['unknown keys', `password: ${SECRET}\nurl: x`, 'has settings that do not exist: password, url'],
    ['a flag for a key', `external-url: ${SECRET}`, 'has settings that do not exist: external-url'],
    [
      'a key without a value',
      'externalUrl:\nwindow: 1m',
      'neither a value nor a list of values: externalUrl',
    ],
    ['a map', `externalUrl: {a: ${SECRET}}`, 'neither a value nor a list of values: externalUrl'],
    ['a list of lists', `audiences: [[${SECRET}]]`, 'neither a value nor a list of values: audiences'],
    ['a list with nothing in it', 'audiences: [a, ~]', 'neither a value nor a list of values: audiences'],
  ])('for a file with %s', (_what, content, message) => {
    const path = file(content);
    const said = refusal([`--config=${path}`]);
    expect(said).toContain(`--config: ${path} `);
    expect(said).toContain(message);
  });

  test('for a file that is not there', () => {
    expect(refusal(['--config=/nonexistent/latchkey.yaml'])).toBe(
      '--config: /nonexistent/latchkey.yaml cannot be read (ENOENT)',
    );
  });

  test('and the YAML reader prints no line of the file by itself', () => {
    const path = file(`bindPassword: !vault ${SECRET}`);
    const script = `
      import { z } from 'zod';
      import { text } from './src/config/fields.ts';
      import { readSettings } from './src/config/read-settings.ts';
      const schema = z.object({ bindPassword: text('A password.') });
      const { bindPassword } = readSettings(schema, { argv: ['--config=${path}'], env: {} });
      console.log(bindPassword.length);
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '../..'),
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: `${SECRET.length}\n`, stderr: '' });
  });
});

test('--help lists every setting with what it is for', () => {
  const lines = describeSettings(SCHEMA).split('\n');
  expect(lines.filter((line) => line.startsWith('  --'))).toEqual([
    '  --external-url',
    '  --bind-password',
    '  --per-user',
    '  --window',
    '  --audiences',
    '  --start-tls',
  ]);
  expect(lines).toContain('      How long. Default 15m.');
  // An optional one and one with a default, too.
  expect(lines).toContain('      A password.');
  expect(lines).toContain('      Where people reach it.');
});

describe('a setting that may stand without its flag', () => {
  const schema = z.object({
    name: argument('Whose.'),
    other: argument('Which.').optional(),
    all: yesOrNo('All.'),
  });
  const read = (...argv: string[]) => readSettings(schema, { argv, env: {} });

  test('is taken by its place, between flags, too', () => {
    expect(read('ada')).toEqual({ name: 'ada', all: false });
    expect(read('--all', 'ada', 'grace')).toEqual({ name: 'ada', other: 'grace', all: true });
    expect(read('--name=ada')).toEqual({ name: 'ada', all: false });
    expect(read('--', '--ada')).toEqual({ name: '--ada', all: false });
  });

  test('is missed where it is missing, by its flag and variable', () => {
    expect(refusal([], {}, schema)).toContain('--name (or LATCHKEY_NAME): is required');
    expect(refusal([''], {}, schema)).toContain('must not be empty');
  });

  test('is taken once, and nothing is taken that has no place', () => {
    expect(refusal(['ada', '--name=ada'], {}, schema)).toContain('--name is given twice');
    expect(refusal(['ada', 'grace', SECRET], {}, schema)).toContain('more arguments than the command takes');
    expect(refusal(['ada', `--nme=${SECRET}`], {}, schema)).toContain('--nme');
  });

  test('is shown so in the help', () => {
    expect(describeSettings(schema)).toContain('  <name> or --name\n      Whose.');
  });
});
