// What reaches the log, and above all what does not.
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LatchkeyError } from '../src/errors.ts';
import { createLog } from '../src/log.ts';

const SECRET = 'hunter2-correct-horse';

/** The line that a call of the log writes. */
function line(write: (log: ReturnType<typeof createLog>) => void, level = 'info'): string {
  const lines: string[] = [];
  write(createLog(level, { write: (text) => lines.push(text) }));
  return lines.join('');
}

const parsed = (write: Parameters<typeof line>[0]) => JSON.parse(line(write)) as Record<string, unknown>;

test('a line is one JSON object with the time, the level by name and the message, and nothing of the machine', () => {
  const { time, ...rest } = parsed((log) => log.info({ user: 'ada' }, 'signed in'));
  expect(rest).toEqual({ level: 'info', user: 'ada', msg: 'signed in' });
  expect(new Date(String(time)).toISOString()).toBe(time);
  expect(line((log) => log.info({ text: 'two\nlines' }, 'a\nb'))).toMatch(/^[^\n]*\n$/);
});

test('a process writes every line to its standard output, the last ones at its end', () => {
  const script = `
    import { createLog } from './src/log.ts';
    const log = createLog('info');
    for (let n = 0; n < 1000; n++) log.info({ n }, 'a line that is one of many');
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(import.meta.dirname, '..'),
    encoding: 'utf8',
  });
  const numbers = output
    .trimEnd()
    .split('\n')
    .map((each) => (JSON.parse(each) as { n: number }).n);
  expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
});

test('what is below the level is not written', () => {
  expect(line((log) => log.info('quiet'), 'warn')).toBe('');
  expect(line((log) => log.warn('loud'), 'warn')).toContain('loud');
});

describe('what could hold a secret is cut out', () => {
  const names = [
    'password',
    'token',
    'cookie',
    'authorization',
    'AUTH_TOKEN',
    'd',
    'bindPassword',
    'data',
    'body',
  ];

  test.each(names)('%s, also further down, also of a child log', (name) => {
    for (const write of [
      (log: ReturnType<typeof createLog>) => log.info({ [name]: SECRET }, 'top'),
      (log: ReturnType<typeof createLog>) => log.info({ request: { [name]: { deep: SECRET } } }, 'nested'),
      (log: ReturnType<typeof createLog>) => log.info({ a: { list: [{ [name]: SECRET }] } }, 'in a list'),
      (log: ReturnType<typeof createLog>) => log.child({ [name]: SECRET }).info('child'),
    ]) {
      const text = line(write);
      expect(text).toContain('[redacted]');
      expect(text).not.toContain(SECRET);
    }
  });
});

test('what is cut out of a line is not cut out of the object itself', () => {
  const request = { token: SECRET, headers: { cookie: SECRET, accept: 'text/html' } };
  const written = parsed((log) => log.info({ request }, 'request'));
  expect(written['request']).toEqual({
    token: '[redacted]',
    headers: { cookie: '[redacted]', accept: 'text/html' },
  });
  expect(request.headers.cookie).toBe(SECRET);
});

test('what refers to itself ends somewhere', () => {
  const circle: Record<string, unknown> = { token: SECRET };
  circle['self'] = circle;
  circle['list'] = [circle];
  expect(line((log) => log.info({ circle }, 'round'))).not.toContain(SECRET);
});

describe('of an error', () => {
  class Refused extends LatchkeyError<'Refused'> {
    readonly status = 403;
    readonly answer = { token: SECRET };
  }

  test('its kind, message, code, status and stack are written, and no other field', () => {
    const error = new Refused('Refused', 'The API server refused. Give it rights.');
    expect(parsed((log) => log.error({ err: error }, 'failed'))['err']).toEqual({
      type: 'Refused',
      message: 'The API server refused. Give it rights.',
      code: 'Refused',
      status: 403,
      stack: error.stack,
    });
  });

  test('a cause of our own is written with its message, as that is meant to be read', () => {
    const cause = new Refused('Refused', 'The API server refused.');
    const error = new LatchkeyError('Unavailable', 'Try again later.', { cause });
    expect(parsed((log) => log.error({ err: error }, 'failed'))['err']).toMatchObject({
      cause: 'Refused: The API server refused.',
    });
  });

  test('a cause of a library is written by its kind and code, as its message may quote anything', () => {
    const quoting = new SyntaxError(`Unexpected token in "${SECRET}"`, { cause: new Error(SECRET) });
    const error = new LatchkeyError('Unreadable', 'The file cannot be read.', { cause: quoting });
    const text = line((log) => log.error({ err: error }, 'failed'));
    expect(JSON.parse(text)).toHaveProperty('err.cause', 'SyntaxError');
    expect(text).not.toContain(SECRET);
  });

  test('an error of the system as a cause says its code', () => {
    const wrapped = () => {
      try {
        return readFileSync('/nonexistent/file', 'utf8');
      } catch (cause) {
        throw new LatchkeyError('Unreadable', 'The file cannot be read.', { cause });
      }
    };
    expect(
      parsed((log) => {
        try {
          wrapped();
        } catch (error) {
          log.error({ err: error }, 'failed');
        }
      })['err'],
    ).toMatchObject({ cause: 'Error: ENOENT' });
  });

  test('a request that ran into its time limit says so', async () => {
    const limit = AbortSignal.timeout(0);
    await new Promise((resolve) => limit.addEventListener('abort', resolve, { once: true }));
    expect(parsed((log) => log.error({ err: limit.reason }, 'failed'))['err']).toMatchObject({
      type: 'TimeoutError',
      message: 'The operation was aborted due to timeout',
    });
  });

  test.each<[unknown, string]>([
    [SECRET, 'string'],
    [{ token: SECRET }, 'object'],
    [null, 'object'],
    [undefined, 'undefined'],
  ])('what is thrown and is no error (%p) neither stops the log nor is written', (thrown, type) => {
    const text = line((log) => log.error({ err: thrown }, 'failed'));
    expect(text).not.toContain(SECRET);
    expect(JSON.parse(text)).toMatchObject({ msg: 'failed', ...(thrown !== undefined && { err: { type } }) });
  });
});
