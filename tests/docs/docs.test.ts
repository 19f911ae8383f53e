// Holds the documentation against the program and the cluster: links, flags, reasons, manifests and commands.
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { COMMANDS } from '../../src/commands/commands.ts';
import { flagOf } from '../../src/config/read-settings.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { install } from '../../dev/latchkey/install.ts';
import { testCluster } from '../support/cluster.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const text = (page: string) => readFileSync(join(root, page), 'utf8');
const blocks = (page: string, language: string) =>
  [...text(page).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block = '']) => block,
  );

const cluster = await testCluster();
await install(cluster);

test.each(pages)('every link of %s leads somewhere', (page) => {
  const links = [...text(page).matchAll(/\]\(([^)#]+)[^)]*\)|src(?:set)?="([^"]+)"/g)]
    .map(([, link, picture]) => link ?? picture ?? '')
    .filter((link) => !link.startsWith('https://'));
  for (const link of links)
    expect({ link, exists: existsSync(join(root, dirname(page), link)) }).toEqual({ link, exists: true });
});

test('what docs/verifying.md shows of a service stands in the service that is tested', () => {
  const shown = [
    ['js', 'docs/examples/node/service.mjs'],
    ['go', 'docs/examples/go/main.go'],
  ] as const;
  for (const [language, file] of shown) {
    const snippets = blocks('docs/verifying.md', language);
    expect(snippets.length).toBeGreaterThan(1);
    for (const snippet of snippets) expect(text(file)).toContain(snippet.trim());
  }
});

test.each(pages)('every command and flag of latchkey in %s exists', (page) => {
  const lines = text(page)
    .replaceAll('\\\n', ' ')
    .matchAll(
      /latchkey ((?:serve|uninstall|why|confirm|release|revoke|adopt|keys|callers|license|accounts)\b[^`\n|]*)/g,
    );
  for (const [, rest = ''] of lines) {
    const words = rest.split(/\s+/);
    const command = COMMANDS.find((candidate) =>
      candidate.words.every((word, index) => word === words[index]),
    );
    expect({ rest, known: command !== undefined }).toEqual({ rest, known: true });
    const known = Object.keys(command?.settings.shape ?? {}).map((name) => `--${flagOf(name)}`);
    for (const [flag] of rest.matchAll(/--[a-z][a-z-]*/g)) expect([...known, '--help']).toContain(flag);
  }
  const serve = COMMANDS.find(({ words }) => words[0] === 'serve');
  const alone = [...text(page).matchAll(/`(--[a-z-]+)(?:=[^`]*)?`/g)].map(([, flag]) => flag);
  const known = COMMANDS.flatMap(({ settings }) => Object.keys(settings.shape)).map(
    (name) => `--${flagOf(name)}`,
  );
  // The last is kube-apiserver's.
  const others = ['--config', '--help', '--directory', '--authentication-token-webhook-cache-ttl'];
  for (const flag of alone) expect([...known, ...others]).toContain(flag);
  expect(serve).toBeDefined();
});

describe('the table of reasons', () => {
  test('has every reason that a gate or a token can give', () => {
    const sources = ['gates.ts', 'observed.ts', 'license-texts.ts']
      .map((file) => readFileSync(join(root, 'src/domain', file), 'utf8'))
      .join('\n');
    const reasons = [...sources.matchAll(/(?:reason: |(?:shut|bad)\(\s*)'([A-Z][A-Za-z]+)'/g)].map(
      ([, reason = '']) => reason,
    );
    expect(reasons.length).toBeGreaterThan(10);
    const page = text('docs/users-and-policy.md') + text('docs/license.md');
    // These two pass within seconds, or with the User.
    const passing = new Set(['TokenPolicyPending', 'LicensePending', 'Offboarding']);
    for (const reason of reasons.filter((name) => !passing.has(name)))
      expect(page).toContain(`\`${reason}\``);
  });
});

describe('what the docs say of metrics', () => {
  const page = text('docs/operations.md');

  /** Name, type and labels of everything that this program measures. */
  async function measured() {
    const metrics = createMetrics('1');
    const none = () => new Map();
    metrics.observe({
      isLeading: () => true,
      queues: none,
      caches: none,
      tokens: () => ({ count: 0, leastRemainingMs: undefined }),
      users: none,
      licenseRemainingMs: () => undefined,
      directoryUsers: () => new Map(),
      directoryAnswers: () => new Map(),
      holds: none,
      eventsDropped: () => 0,
    });
    return [...(await metrics.scrape()).matchAll(/^# TYPE (latchkey_\S+) (\S+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
  }

  test('is the same that the program measures', async () => {
    const rows = [...page.matchAll(/^\| `(latchkey_[a-z_]+)` +\| (\w+) +\|/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    expect(rows.toSorted()).toEqual((await measured()).toSorted());
  });

  test('is all that the rules to alert on ask for', async () => {
    const rules = blocks('docs/operations.md', 'yaml').find((block) => block.startsWith('groups:')) ?? '';
    const { groups } = parse(rules) as { groups: { rules: Record<string, unknown>[] }[] };
    const known = (await measured()).map((metric) => metric.split(' ')[0]);
    const all = groups.flatMap((group) => group.rules);
    expect(all.length).toBeGreaterThan(5);
    for (const rule of all) {
      expect(rule).toMatchObject({
        alert: expect.stringMatching(/^Latchkey[A-Za-z]+$/),
        annotations: { summary: expect.any(String) },
        labels: { severity: expect.stringMatching(/^(critical|warning)$/) },
      });
      const names = String(rule['expr']).match(/latchkey_[a-z_]+/g) ?? [];
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) expect(known).toContain(name);
    }
  });
});

describe('the cluster', () => {
  const manifests = pages
    .flatMap((page) => blocks(page, 'yaml'))
    .filter((block) => block.includes('latchkey.dev/v1alpha1'));

  test('accepts every manifest that the docs show', async () => {
    expect(manifests.length).toBeGreaterThan(2);
    for (const manifest of manifests) {
      const { metadata } = parse(manifest) as { metadata: { name: string } };
      const output = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: manifest });
      expect(output).toContain(metadata.name);
    }
  });

  test('carries out the kubectl command that shows the Events', async () => {
    const command = blocks('docs/operations.md', 'sh').find((block) => block.includes('events')) ?? '';
    const [program, ...args] = command.trim().split(' ');
    expect(program).toBe('kubectl');
    await cluster.kubectl(args);
  });

  test('carries out every kubectl command that takes access away', async () => {
    const page = text('docs/users-and-policy.md');
    const patches = [...page.matchAll(/kubectl patch ([a-z.]+) ([a-z]+) --type=merge -p '([^']+)'/g)];
    expect(patches).toHaveLength(2);
    // The README's Ada and the policy; another page shows another Ada.
    const policy = manifests.find((manifest) => manifest.includes('kind: TokenPolicy'));
    await cluster.kubectl(['apply', '-f', '-'], { input: `${manifests[0]}---\n${policy}` });
    for (const [, resource = '', name = '', patch = ''] of patches)
      expect(await cluster.kubectl(['patch', resource, name, '--type=merge', '-p', patch])).toContain(
        'patched',
      );
    await cluster.kubectl(['delete', 'users.latchkey.dev,tokenpolicies', '--all', '--timeout=20s']);
  });
});
