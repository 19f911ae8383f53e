// The commands about callers, and a replica that follows them, on a real API server.
import { afterAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { addCallerNamed, listCallers, removeCallerNamed } from '../../src/commands/callers.ts';
import { callerSettings } from '../../src/commands/settings.ts';
import { watchCallers, type CallerCredentials } from '../../src/verification/callers/callers.ts';
import { CALLERS_SECRET, MOST_CALLERS } from '../../src/verification/callers/secret.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { adminClient, newNamespace } from '../controllers/signing-keys/replica.ts';
import { testCluster } from '../support/cluster.ts';

const cluster = await testCluster();
const client = await adminClient(cluster);
const namespace = await newNamespace(cluster);
const stop = new AbortController();
const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
const replica = watchCallers({ client, namespace, log, signal: stop.signal });
await replica.start();
afterAll(async () => {
  stop.abort();
  await client.close();
});

const notes: string[] = [];
async function printed(
  run: (command: Parameters<typeof listCallers>[0]) => Promise<void>,
): Promise<string[]> {
  const lines: string[] = [];
  const note = (line: string) => void notes.push(line);
  await run({ client, namespace, out: (line) => void lines.push(line), note });
  return lines;
}
const add = async (name: string) => (await printed((command) => addCallerNamed(command, name)))[0] ?? '';
const remove = (name: string) => printed((command) => removeCallerNamed(command, name));
const authenticate = async (credentials: CallerCredentials) => {
  const verdict = await replica.authenticate(credentials);
  return verdict.outcome === 'Known' ? verdict.name : undefined;
};
const known = (token: string) => authenticate({ token });
const patch = (data: object) =>
  cluster.kubectl([
    '-n',
    namespace,
    'patch',
    'secret',
    CALLERS_SECRET,
    '--type=merge',
    '-p',
    JSON.stringify(data),
  ]);

describe('latchkey callers', () => {
  test('list says where it has found nobody', async () => {
    expect(await printed(listCallers)).toEqual([]);
    expect(notes.splice(0)).toEqual([`There are no callers in the namespace ${namespace}.`]);
  });

  test('add prints a token, and nothing else, that every replica knows at once', async () => {
    const api = await add('kube-apiserver');
    const web = await add('web');
    expect(await printed(listCallers)).toEqual(['kube-apiserver', 'web']);
    await waitUntil('the callers to be known', 60_000, async () => (await known(web)) === 'web');
    expect(await known(api)).toBe('kube-apiserver');
    expect(await authenticate({ name: 'web', token: web })).toBe('web');
    expect(await authenticate({ name: 'web', token: api })).toBeUndefined();
    expect(await authenticate({ name: '', token: api })).toBeUndefined();
    expect(await known('x'.repeat(1_000_000))).toBeUndefined();
    expect(notes.join()).toContain('cannot be shown again');
    for (const token of [api, web]) expect([...logged, ...notes].join()).not.toContain(token);
    const secret = await cluster.kubectl(['-n', namespace, 'get', 'secret', CALLERS_SECRET, '-o', 'json']);
    for (const value of Object.values<string>(JSON.parse(secret).data))
      expect(Buffer.from(value, 'base64').toString()).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('add never replaces a token', async () => {
    await expect(add('web')).rejects.toMatchObject({ code: 'CallerExists' });
  });

  test('of many at once each is there', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map(add));
    expect(await printed(listCallers)).toEqual([...names, 'kube-apiserver', 'web']);
  });

  test('remove puts one out at once, and no other', async () => {
    const token = await add('leaked');
    await waitUntil('the caller to be known', 60_000, () => known(token));
    await remove('leaked');
    await waitUntil('the caller to be out', 60_000, async () => (await known(token)) === undefined);
    expect(await printed(listCallers)).toContain('web');
    await expect(remove('leaked')).rejects.toMatchObject({ code: 'CallerUnknown' });
  });

  test.each(['toString', '__proto__'])('remove finds no %s where nobody has added one', (name) =>
    expect(remove(name)).rejects.toMatchObject({ code: 'CallerUnknown' }),
  );

  test('remove does not repeat the token that was given in place of a name', async () => {
    const token = await add('mistaken');
    const error = await remove(token).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CallerUnknown' });
    expect(String(error)).not.toContain(token);
  });

  test('what somebody has written by hand is nobody, and is said', async () => {
    const token = await add('by-hand');
    await waitUntil('the caller to be known', 60_000, () => known(token));
    await patch({ stringData: { 'by-hand': token } });
    await waitUntil('the caller to be out', 60_000, async () => (await known(token)) === undefined);
    expect(logged.join()).toContain('latchkey callers remove');
    expect(logged.join()).not.toContain(token);
    await remove('by-hand');
  });

  test('a Secret that is deleted puts everybody out', async () => {
    const token = await add('last');
    await waitUntil('the caller to be known', 60_000, () => known(token));
    await cluster.kubectl(['-n', namespace, 'delete', 'secret', CALLERS_SECRET]);
    await waitUntil('the caller to be out', 60_000, async () => (await known(token)) === undefined);
    expect(await printed(listCallers)).toEqual([]);
    await expect(remove('last')).rejects.toMatchObject({ code: 'CallerUnknown' });
    await add('first-again');
  });

  test('there is an end to how many there may be', async () => {
    const data = Object.fromEntries(Array.from({ length: MOST_CALLERS }, (_, n) => [`c${n}`, 'eA==']));
    await patch({ data });
    await expect(add('one-more')).rejects.toMatchObject({ code: 'TooManyCallers' });
  });
});

test.each(['', 'A', 'a b', 'a:b', '-a', 'a'.repeat(64), '../a'])('%j is no name for a caller', (name) => {
  expect(callerSettings.safeParse({ namespace: 'latchkey', name }).success).toBe(false);
});
