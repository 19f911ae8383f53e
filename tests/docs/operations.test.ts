// Carries out every command of docs/operations.md, in its order, on a real cluster.
import { afterAll, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startControlPlane } from '../../dev/cluster/control-plane.ts';
import { adminKubectl, OPERATOR_NAMESPACE } from '../../dev/latchkey/install.ts';
import { startOperator, type Operator } from '../../dev/latchkey/operator.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { adminShell, codeBlocks, pageText } from './admin-shell.ts';

const page = pageText('docs/operations.md');
const DEADLINE_MS = 60_000;
const section = (title: string) => page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
const blocks = (title: string, language: string) => codeBlocks(section(title), language);

const cluster = await startControlPlane();
const kubectl = adminKubectl(cluster);
const admin = await adminShell(cluster.binaries.kubectl, cluster.adminKubeconfig);
let operator: Operator | undefined;
afterAll(async () => {
  await operator?.kill();
  operator?.remove();
  await cluster.stop();
  admin.remove();
});

async function carryOut(title: string): Promise<void> {
  const commands = blocks(title, 'sh');
  expect({ title, count: commands.length }).not.toEqual({ title, count: 0 });
  for (const command of commands) await admin.run(command);
}

const inNamespace = (...args: string[]) => kubectl(['-n', OPERATOR_NAMESPACE, ...args]);

async function startAgain(): Promise<void> {
  operator = await startOperator(cluster, { ownCertificate: true, flags: ['--lease-duration=4s'] });
}

const untilMade = (name: string) =>
  waitUntil(
    `the Secret of ${name}`,
    DEADLINE_MS,
    async () =>
      (await kubectl([
        'get',
        'secrets',
        '-A',
        '--field-selector=metadata.name=access-token',
        '-o',
        'name',
      ])) !== '',
  );

test('an admin installs, upgrades, backs up, restores and removes Latchkey by its commands', async () => {
  writeFileSync(join(admin.folder, 'values.yaml'), blocks('Install it', 'yaml')[0] ?? '');
  const [install = '', ...afterInstall] = blocks('Install it', 'sh');
  await admin.run(install);
  await startAgain();
  for (const command of afterInstall) await admin.run(command);
  expect(readFileSync(join(admin.folder, 'ca.crt'), 'utf8')).toContain('BEGIN CERTIFICATE');
  await carryOut('Upgrade it');

  const user = { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', metadata: { name: 'ada' }, spec: {} };
  await kubectl(['create', '-f', '-'], JSON.stringify(user));
  await untilMade('ada');
  await carryOut('Back it up');

  // What was lost: the Users and the policy, while no operator ran, and a Secret.
  await operator?.stop();
  operator?.remove();
  for (const object of ['users.latchkey.dev/ada', 'tokenpolicies.latchkey.dev/cluster'])
    await kubectl(['patch', object, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  await kubectl(['delete', 'users.latchkey.dev,tokenpolicies.latchkey.dev', '--all', '--timeout=60s']);
  await inNamespace('delete', 'secret', 'latchkey-local-accounts');
  // Installed before, it has made a policy of its settings.
  await startAgain();
  await kubectl(['wait', '--for=create', '--timeout=60s', 'tokenpolicies.latchkey.dev/cluster']);
  await carryOut('Restore it');
  await inNamespace('get', 'secret', 'latchkey-local-accounts');
  const uid = await kubectl(['get', 'users.latchkey.dev', 'ada', '-o', 'jsonpath={.metadata.uid}']);
  const label = 'jsonpath={.metadata.labels.latchkey\\.dev/user-uid}';
  expect(await kubectl(['get', 'namespace', 'ada', '-o', label])).toBe(uid);

  await untilMade('ada');
  await carryOut('Remove it');
  expect(
    await kubectl(['get', 'secrets', '-A', '--field-selector=metadata.name=access-token', '-o', 'name']),
  ).toBe('');
  expect(await kubectl(['get', 'crd', '-o', 'name'])).not.toContain('latchkey');
  expect(await kubectl(['get', 'namespaces', '-o', 'name'])).not.toContain('namespace/latchkey');
});
