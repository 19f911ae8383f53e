// Holds the documentation against the program and the cluster: links, flags, reasons, manifests and commands.
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { COMMANDS } from '../../src/commands/commands.ts';
import { flagOf } from '../../src/config/read-settings.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { runHelm } from '../../dev/helm/helm.ts';
import { CHART, install, VALUES } from '../../dev/latchkey/install.ts';
import { testCluster } from '../support/cluster.ts';
import { codeBlocks, pageText } from './admin-shell.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const text = pageText;
const blocks = (page: string, language: string) => codeBlocks(text(page), language);

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

test('every script that the docs run with npm exists', () => {
  const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
  const run = pages.flatMap((page) =>
    [...text(page).matchAll(/npm run ([a-z-]+)/g)].map(([, name = '']) => name),
  );
  expect(run.length).toBeGreaterThan(5);
  for (const name of run) expect(Object.keys(scripts)).toContain(name);
});

/** The words of a file of src/domain that stand where the pattern says: they are code, so they are read from it. */
const wordsOf = (file: string, pattern: RegExp, part = text(`src/domain/${file}`)) =>
  [...part.matchAll(pattern)].map(([, word = '']) => word);

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

  test('and those of the conditions have every condition, and every reason of their own', () => {
    const page = text('docs/users-and-policy.md');
    const [, spells] = /SpellReason =([^;]+);/.exec(text('src/domain/standing.ts')) ?? [];
    const found = [
      ...wordsOf('status.ts', /(?:type: |, |\(|const LICENSED = )'([A-Z][A-Za-z]+)'/g),
      ...wordsOf('status.ts', /^ {2}([A-Z][A-Za-z]+):/gm),
      ...wordsOf('standing.ts', /'([A-Z][A-Za-z]+)'/g, spells),
      ...wordsOf('hearing.ts', /case '([A-Z][A-Za-z]+)'/g),
      ...wordsOf('held-condition.ts', /'([A-Z][A-Za-z]+)'/g),
      ...wordsOf('decide.ts', /reason: '([A-Z][A-Za-z]+)'/g),
    ].filter((word) => !['True', 'False'].includes(word));
    expect(found).toEqual(expect.arrayContaining(['DirectoryActive', 'NeverSignedIn', 'NewEpoch', 'Locked']));
    for (const word of found) expect(page).toContain(`\`${word}\``);
  });

  test('and that of the Events has every Event', () => {
    const table = text('docs/operations.md').split('### Events')[1] ?? '';
    const events = [
      ...wordsOf('happening.ts', /(?:normal|ending)\(\s*'([A-Z][A-Za-z]+)'/g),
      ...wordsOf('happening.ts', /reason: '([A-Z][A-Za-z]+)'/g),
    ];
    expect(events.length).toBeGreaterThan(8);
    for (const event of events) expect(table).toContain(`\`${event}\``);
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
    // The chart brings the same.
    expect(parse(text('charts/latchkey/alerts.yaml'))).toEqual({ groups });
    const known = (await measured()).map((metric) => metric.split(' ')[0]);
    const all = groups.flatMap((group) => group.rules);
    expect(all.length).toBeGreaterThan(5);
    const explained = [...page.matchAll(/^\| `(Latchkey[A-Za-z]+)` +\|/gm)].map(([, name]) => name);
    expect(new Set(explained)).toEqual(new Set(all.map(({ alert }) => alert)));
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

test('the chart takes all values that the docs show', async () => {
  const values = pages
    .flatMap((page) => blocks(page, 'yaml'))
    .filter((block) => !/^(apiVersion|spec|groups):/.test(block))
    .map((block) => parse(block) as { readonly settings?: object });
  expect(values.length).toBeGreaterThan(2);
  for (const shown of values) {
    const input = JSON.stringify({
      ...VALUES,
      ...shown,
      settings: { ...VALUES.settings, ...shown.settings },
    });
    await runHelm({ args: ['template', 'latchkey', CHART, '--values', '-'], input });
  }
});

describe('the cluster', () => {
  const manifests = pages
    .flatMap((page) => blocks(page, 'yaml'))
    .filter((block) => block.startsWith('apiVersion:'));

  test('accepts every manifest that the docs show', async () => {
    expect(manifests.length).toBeGreaterThan(3);
    for (const manifest of manifests) {
      const { metadata } = parse(manifest) as { metadata: { name: string } };
      const output = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: manifest });
      expect(output).toContain(metadata.name);
    }
  });

  test('accepts every part of a TokenPolicy that the docs show', async () => {
    const specs = pages.flatMap((page) => blocks(page, 'yaml')).filter((block) => block.startsWith('spec:'));
    expect(specs.length).toBeGreaterThan(0);
    const head = 'apiVersion: latchkey.dev/v1alpha1\nkind: TokenPolicy\nmetadata:\n  name: cluster\n';
    for (const spec of specs)
      await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input: head + spec });
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
    // While it is switched off, nobody may delete it.
    const on = JSON.stringify({ spec: { enabled: true } });
    await cluster.kubectl(['patch', 'tokenpolicy', 'cluster', '--type=merge', '-p', on]);
    await cluster.kubectl(['delete', 'users.latchkey.dev,tokenpolicies', '--all', '--timeout=60s']);
  });
});
