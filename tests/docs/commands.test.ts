// Carries out every command of the pages that an admin reads after docs/operations.md, on a Latchkey that runs.
import { afterAll, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startLatchkey } from '../support/latchkey.ts';
import { adminShell, codeBlocks, pageText } from './admin-shell.ts';

const PAGES = ['directories', 'license', 'users-and-policy', 'verifying'].map((name) => `docs/${name}.md`);

/** What cannot be carried out here, and is by the suite that the comment names. */
const ELSEWHERE = [
  /^latchkey serve/, // tests/docs/docs.test.ts: its flags
  /^latchkey (release|confirm)/, // tests/main-job/definition.test.ts and holds.test.ts
  /^kube-apiserver/, // tests/servers/token-review/kube-apiserver.test.ts
  /^kubectl --token/, // tests/main-job/demo.test.ts
  /^curl .*\/revoke/, // tests/docs/examples.test.ts
];

const PASSWORD = 'correct horse battery staple';
const latchkey = await startLatchkey({ accounts: { ada: PASSWORD } });
const { binaries, adminKubeconfig } = latchkey.cluster;
const admin = await adminShell(binaries.kubectl, adminKubeconfig);
afterAll(async () => {
  admin.remove();
  await latchkey.stop();
});

test('every command is one that an admin can run as it stands', async () => {
  await latchkey.createUser('ada');
  await latchkey.untilStatus('ada', ({ directory }) => directory?.state === 'Active');
  expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('ada');
  await latchkey.kubectl(['create', 'namespace', 'ada-lovelace']);

  const commands = PAGES.flatMap((page) => codeBlocks(pageText(page), 'sh')).filter(
    (block) => !ELSEWHERE.some((pattern) => pattern.test(block)),
  );
  // The vendor comes before the customer, and hands the licence over in a file.
  const issuing = commands.filter((block) => block.includes('license issue'));
  expect(issuing).toHaveLength(1);
  const license = await admin.run(issuing[0] ?? '');
  for (const name of ['acme.jwt', 'acme-2031.jwt']) writeFileSync(join(admin.folder, name), license);

  const output = new Map<string, string>();
  for (const command of commands.filter((block) => !issuing.includes(block)))
    output.set(command.trim(), await admin.run(command));
  expect(output.size).toBeGreaterThan(7);
  expect(output.get('latchkey why ada')).toContain('ada: has a token');
  const caller = output.get('latchkey callers add billing') ?? '';
  expect(caller.trim()).toMatch(/^\S+$/);
  const label = 'jsonpath={.metadata.labels.latchkey\\.dev/namespace}';
  expect(await latchkey.kubectl(['get', 'namespace', 'ada-lovelace', '-o', label])).toBe('handed-over');
});
