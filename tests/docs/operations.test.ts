// Carries out every command of docs/operations.md, in its order, on a real cluster.
import { afterAll, expect, test } from '@jest/globals';
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startControlPlane } from '../../dev/cluster/control-plane.ts';
import { findHelm } from '../../dev/helm/helm.ts';
import { adminKubectl } from '../../dev/latchkey/install.ts';
import { startOperator, type Operator } from '../../dev/latchkey/operator.ts';
import { runProgram } from '../../dev/run-program.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
const section = (title: string) => page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
const blocks = (title: string, language: string) =>
  [...section(title).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block = '']) => block,
  );

const helm = await findHelm();
const cluster = await startControlPlane();
const kubectl = adminKubectl(cluster);
const folder = temporaryFolder('latchkey-operations');
let operator: Operator | undefined;
afterAll(async () => {
  await operator?.kill();
  operator?.remove();
  await cluster.stop();
  folder.remove();
});

symlinkSync(join(root, 'charts'), join(folder.path, 'charts'));
const program = join(folder.path, 'latchkey');
writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${root}src/main.ts" "$@"\n`);
chmodSync(program, 0o755);

/** As an admin at a shell, in a folder of their own. */
const shell = (command: string) =>
  runProgram({
    command: 'sh',
    args: ['-ec', `cd "${folder.path}"\n${command}`],
    timeoutMs: 100_000,
    env: {
      PATH: [folder.path, dirname(helm), dirname(cluster.binaries.kubectl), '/usr/bin', '/bin'].join(':'),
      HOME: folder.path,
      KUBECONFIG: cluster.adminKubeconfig,
      PASSWORD: 'correct horse battery staple',
    },
  });

async function carryOut(title: string): Promise<void> {
  const commands = blocks(title, 'sh');
  expect({ title, count: commands.length }).not.toEqual({ title, count: 0 });
  for (const command of commands) await shell(command);
}

const untilMade = (name: string) =>
  waitUntil(
    `the Secret of ${name}`,
    20_000,
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
  writeFileSync(join(folder.path, 'values.yaml'), blocks('Install it', 'yaml')[0] ?? '');
  const [install = '', ...afterInstall] = blocks('Install it', 'sh');
  await shell(install);
  operator = await startOperator(cluster, { ownCertificate: true, flags: ['--lease-duration=4s'] });
  for (const command of afterInstall) await shell(command);
  expect(readFileSync(join(folder.path, 'ca.crt'), 'utf8')).toContain('BEGIN CERTIFICATE');
  await carryOut('Upgrade it');

  const user = { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', metadata: { name: 'ada' }, spec: {} };
  await kubectl(['create', '-f', '-'], JSON.stringify(user));
  await untilMade('ada');
  await carryOut('Back it up');

  // What was lost: the Users and the policy, while no operator ran.
  await operator.stop();
  operator.remove();
  for (const object of ['users.latchkey.dev/ada', 'tokenpolicies.latchkey.dev/cluster'])
    await kubectl(['patch', object, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  await kubectl(['delete', 'users.latchkey.dev,tokenpolicies.latchkey.dev', '--all', '--timeout=20s']);
  await carryOut('Restore it');
  const uid = await kubectl(['get', 'users.latchkey.dev', 'ada', '-o', 'jsonpath={.metadata.uid}']);
  const label = 'jsonpath={.metadata.labels.latchkey\\.dev/user-uid}';
  expect(await kubectl(['get', 'namespace', 'ada', '-o', label])).toBe(uid);

  operator = await startOperator(cluster, { ownCertificate: true, flags: ['--lease-duration=4s'] });
  await untilMade('ada');
  await carryOut('Remove it');
  expect(
    await kubectl(['get', 'secrets', '-A', '--field-selector=metadata.name=access-token', '-o', 'name']),
  ).toBe('');
  expect(await kubectl(['get', 'crd', '-o', 'name'])).not.toContain('latchkey');
  expect(await kubectl(['get', 'namespaces', '-o', 'name'])).not.toContain('namespace/latchkey');
}, 180_000);
