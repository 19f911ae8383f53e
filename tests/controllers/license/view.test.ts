// What is kept of the Secret, as a real API server and kubectl write its managedFields.
import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { licenseView } from '../../../src/controllers/license/view.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { testCluster } from '../../support/cluster.ts';

const cluster = await testCluster();
const namespace = `license-${randomUUID().slice(0, 8)}`;
await cluster.kubectl(['create', 'namespace', namespace]);

const NAME = 'latchkey-license';
const kubectl = (args: readonly string[], input?: string) =>
  cluster.kubectl(['-n', namespace, ...args], input === undefined ? {} : { input });

async function read() {
  return licenseView(
    JSON.parse(await kubectl(['get', 'secret', NAME, '-o', 'json', '--show-managed-fields'])),
  );
}

const manifest = (field: 'data' | 'stringData', value: string, labels = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: NAME, labels },
    [field]: { license: value },
  });

/** managedFields count in seconds: what is written next has another time. */
async function nextSecond(): Promise<void> {
  const second = Math.floor(Date.now() / 1_000);
  await waitUntil('the next second', 2_000, () => Math.floor(Date.now() / 1_000) > second);
}

/** How to write a value, and again another one. */
const WAYS: readonly (readonly [string, (value: string) => Promise<unknown>])[] = [
  ['client-side apply', (value) => kubectl(['apply', '-f', '-'], manifest('stringData', value))],
  [
    'server-side apply of stringData',
    (value) =>
      kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifest('stringData', value)),
  ],
  [
    'server-side apply of data',
    (value) =>
      kubectl(
        ['apply', '--server-side', '--force-conflicts', '-f', '-'],
        manifest('data', Buffer.from(value).toString('base64')),
      ),
  ],
  [
    'patch',
    (value) => kubectl(['patch', 'secret', NAME, '-p', JSON.stringify({ stringData: { license: value } })]),
  ],
  ['replace', (value) => kubectl(['replace', '-f', '-'], manifest('stringData', value))],
];

describe('when the licence was written is told', () => {
  test.each(WAYS)('after %s, and not by what else is changed', async (_, write) => {
    await kubectl(['delete', 'secret', NAME, '--ignore-not-found']);
    await kubectl(['create', 'secret', 'generic', NAME, '--from-literal=license=first']);
    const first = await read();
    expect(first.data).toBe(Buffer.from('first').toString('base64'));
    await nextSecond();
    await write('second');
    const second = await read();
    expect(second.data).toBe(Buffer.from('second').toString('base64'));
    expect(second.writtenAt?.getTime()).toBeGreaterThan(first.writtenAt?.getTime() ?? Infinity);
    await nextSecond();
    await kubectl(['label', 'secret', NAME, 'backup=daily']);
    expect((await read()).writtenAt).toEqual(second.writtenAt);
    await nextSecond();
    await write('third');
    expect((await read()).writtenAt?.getTime()).toBeGreaterThan(second.writtenAt?.getTime() ?? Infinity);
  });

  test('not where somebody has taken the managedFields away', async () => {
    await kubectl(['patch', 'secret', NAME, '--type=merge', '-p', '{"metadata":{"managedFields":[{}]}}']);
    expect((await read()).writtenAt).toBeUndefined();
  });

  test('as somebody forged it: docs/license.md says who can', async () => {
    await kubectl(['delete', 'secret', NAME]);
    await kubectl(['create', 'secret', 'generic', NAME, '--from-literal=license=late']);
    const fieldsV1 = { 'f:data': { 'f:license': {} } };
    const entry = { manager: 'eve', operation: 'Update', apiVersion: 'v1', time: '2020-01-01T00:00:00Z' };
    const managedFields = [{ ...entry, fieldsType: 'FieldsV1', fieldsV1 }];
    await kubectl([
      'patch',
      'secret',
      NAME,
      '--type=merge',
      '-p',
      JSON.stringify({ metadata: { managedFields } }),
    ]);
    expect((await read()).writtenAt).toEqual(new Date('2020-01-01T00:00:00Z'));
  });
});

test('a Secret without the key has no licence, and nothing else of it is kept', async () => {
  await kubectl(['delete', 'secret', NAME]);
  await kubectl(['create', 'secret', 'generic', NAME, '--from-literal=other=value']);
  const view = await read();
  expect(view.data).toBeUndefined();
  expect(JSON.stringify(view)).not.toContain(Buffer.from('value').toString('base64'));
});
