// What the chart takes, and how it refuses what it does not.
import { expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { serveSettings } from '../../src/commands/serve/settings.ts';
import { readSettings } from '../../src/config/read-settings.ts';
import { chartCrd } from '../../dev/generate/chart-crd.ts';
import { findHelm, runHelm } from '../../dev/helm/helm.ts';
import { CHART, VALUES } from '../../dev/latchkey/install.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { EVERY_VALUE } from './every-value.ts';

// On a fresh machine it is built first, which takes longer than any test may.
await findHelm();

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

async function template(
  values: object,
  { release = 'latchkey', namespace = 'latchkey' } = {},
): Promise<Manifest[]> {
  const text = await runHelm({
    args: ['template', release, CHART, '--namespace', namespace, '--values', '-'],
    input: JSON.stringify(values),
  });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

const refusal = async (values: object): Promise<string> =>
  template(values).then(
    () => 'taken',
    (error: unknown) => String(error),
  );

const withSettings = (settings: object) => ({ ...VALUES, settings: { ...VALUES.settings, ...settings } });

test('helm lint finds nothing to warn of', async () => {
  const output = await runHelm({
    args: ['lint', '--strict', CHART, '--values', '-'],
    input: JSON.stringify(VALUES),
  });
  expect(output).toContain('0 chart(s) failed');
  expect(output).not.toMatch(/WARNING|ERROR/);
});

test.each([
  [{ ...VALUES, settings: {} }, /settings\.externalUrl: where people reach the portal/],
  [{ ...VALUES, image: {} }, /image\.repository: where your registry has/],
  [{ ...VALUES, replica: 3 }, /additional properties 'replica' not allowed/],
  [{ ...VALUES, replicas: 0 }, /replicas.*minimum: got 0, want 1/s],
  [{ ...VALUES, replicas: '2' }, /replicas.*got string, want integer/s],
  [{ ...VALUES, image: { repository: 'r', digest: 'sha256:12' } }, /image\/digest.*does not match pattern/s],
  [withSettings({ externalURL: 'https://l.example.org' }), /additional properties 'externalURL' not allowed/],
  [withSettings({ listenAddress: ':1' }), /additional properties 'listenAddress' not allowed/],
  [withSettings({ directory: 'active-directory' }), /settings\/directory.*'local', 'ldap'/s],
  [withSettings({ ldapStartTls: 'yes' }), /settings\/ldapStartTls.*got string, want boolean/s],
  [withSettings({ externalUrl: 'http://l.example.org' }), /settings\/externalUrl.*does not match pattern/s],
  [
    withSettings({ passwordChangeUrl: 'l.example.org' }),
    /settings\/passwordChangeUrl.*does not match pattern/s,
  ],
  [withSettings({ signInWindow: '15 minutes' }), /settings\/signInWindow.*does not match pattern/s],
  [withSettings({ tokenTtl: '1d' }), /settings\/tokenTtl.*does not match pattern/s],
  [withSettings({ directory: 'ldap' }), /settings\.ldapUrl: where the directory is/],
  [
    withSettings({ directory: 'ldap', ldapUrl: 'ldaps://l.example.org' }),
    /settings\.ldapBaseDn: where users are searched/,
  ],
  [withSettings({ signInAttemptsPerUser: 0 }), /settings\/signInAttemptsPerUser.*minimum/s],
  [withSettings({ trustedProxies: '10.0.0.0/8' }), /settings\/trustedProxies.*got string, want array/s],
])('%j is refused, and the error says what is wrong', async (values, message) => {
  expect(await refusal(values)).toMatch(message);
});

const PUBLIC_KEY = '-----BEGIN PUBLIC KEY-----\nMCow: "#\n-----END PUBLIC KEY-----\n';

test('every setting that the chart takes reaches the program as it was meant', async () => {
  const given = {
    externalUrl: 'https://latchkey.example.org',
    directory: 'ldap',
    ldapUrl: 'ldaps://ldap.example.org',
    ldapBaseDn: 'ou=people,dc=example,dc=org',
    ldapStartTls: true,
    trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
    tokenAudiences: ['latchkey', 'payments'],
    signInAttemptsPerAddress: 1_000_000,
    contact: '# the "help desk": +49 40 1234567',
    signInWindow: '5m',
  };
  const manifests = await template({
    ...VALUES,
    settings: given,
    ldapCA: { configMap: 'ldap-ca' },
    tls: { secretName: 'portal' },
    license: { enabled: true, publicKey: PUBLIC_KEY },
  });
  const data = manifests.find(({ kind }) => kind === 'ConfigMap')?.data;
  const config = data?.['config.yaml'] ?? '';
  expect(data?.['license-public-key']).toBe(PUBLIC_KEY);
  const folder = temporaryFolder('latchkey-config');
  const file = join(folder.path, 'config.yaml');
  writeFileSync(file, config);
  const settings = readSettings(serveSettings, { argv: [`--config=${file}`], env: {} });
  folder.remove();
  expect(settings).toMatchObject({
    ...given,
    trustedProxies: expect.anything(),
    issuerUrl: given.externalUrl,
    signInWindow: 300_000,
    listenAddress: { host: '0.0.0.0', port: 8443 },
    tlsCertFile: '/etc/latchkey/tls/tls.crt',
    ldapCaFile: '/etc/latchkey/ldap-ca/ca.crt',
    licensePublicKeyFile: '/etc/latchkey/config/license-public-key',
  });
  expect(settings.trustedProxies.check('10.1.2.3')).toBe(true);
});

type Values = { readonly [name: string]: unknown };
const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
const leaves = (values: Values, path: readonly string[] = []): string[][] =>
  Object.entries(values).flatMap(([name, value]) =>
    isMap(value) ? leaves(value, [...path, name]) : [[...path, name]],
  );
const valueAt = (values: Values, path: readonly string[]) =>
  path.reduce<unknown>((value, name) => (value as Values)[name], values);
const leaving = (values: Values, [name = '', ...rest]: readonly string[]): Values => {
  const { [name]: value, ...others } = values;
  return rest.length === 0 ? others : { ...others, [name]: leaving(value as Values, rest) };
};

test('every value that values.yaml has changes what is installed', async () => {
  const defaults = parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as Values;
  const everything = JSON.stringify(await template(EVERY_VALUE));
  for (const path of leaves(defaults)) {
    expect(valueAt(EVERY_VALUE, path)).not.toEqual(valueAt(defaults, path));
    // A digest counts instead of the tag.
    const others = path.join('.') === 'image.tag' ? leaving(EVERY_VALUE, ['image', 'digest']) : EVERY_VALUE;
    const rendered = path.join('.') === 'image.tag' ? JSON.stringify(await template(others)) : everything;
    const values = leaving(others, path);
    // What is required cannot be left out.
    const answer = await template(values).then(JSON.stringify, String);
    expect({ path, differs: answer !== rendered }).toEqual({ path, differs: true });
  }
}, 300_000);

test('labels and annotations of yours stand beside those of the chart, and not in their place', async () => {
  const own = { podLabels: { team: 'a', 'app.kubernetes.io/name': 'b' }, podAnnotations: { note: 'c', 'checksum/config': 'd' } }; // prettier-ignore
  const pod = async (values: object) => {
    const spec = (await template(values)).find(({ kind }) => kind === 'Deployment')?.['spec'];
    return (spec as { template: { metadata: Record<string, Record<string, string>> } }).template.metadata;
  };
  const plain = await pod(VALUES);
  expect(await pod({ ...VALUES, ...own })).toEqual({
    labels: { ...plain['labels'], team: 'a' },
    annotations: { ...plain['annotations'], note: 'c' },
  });
});

test('labels for whoever looks for monitors and rules stand beside those of the chart, too', async () => {
  const labels = { release: 'prometheus', 'app.kubernetes.io/name': 'b' };
  const values = {
    ...VALUES,
    serviceMonitor: { enabled: true, labels },
    prometheusRule: { enabled: true, labels },
  };
  const manifests = await template(values);
  for (const kind of ['ServiceMonitor', 'PrometheusRule'])
    expect(manifests.find((manifest) => manifest.kind === kind)?.metadata).toMatchObject({
      labels: { release: 'prometheus', 'app.kubernetes.io/name': 'latchkey' },
    });
});

test('a name of digits is a name, and not a number, which the API server would refuse', async () => {
  const NAME = '123';
  const values = {
    ...EVERY_VALUE,
    settings: { ...EVERY_VALUE.settings, ldapBindSecret: NAME },
    ldapCA: { ...EVERY_VALUE.ldapCA, configMap: NAME },
    tls: { secretName: NAME },
    priorityClassName: NAME,
    podLabels: { team: NAME },
    service: { ...EVERY_VALUE.service, loadBalancerClass: NAME, annotations: { note: NAME } },
  };
  const manifests = await template(values, { release: NAME, namespace: NAME });
  expect(JSON.stringify(manifests)).toContain(`"${NAME}"`);
  const numbers: string[] = [];
  JSON.stringify(manifests, (key, value: unknown) => {
    if (value === Number(NAME)) numbers.push(key);
    return value;
  });
  expect(numbers).toEqual([]);
});

test.each(['podLabels', 'podAnnotations'])(
  '%s of null, as Helm takes a default back, are none',
  async (name) => {
    expect(await template({ ...VALUES, [name]: null })).toEqual(await template(VALUES));
  },
);

test('the rules to alert on are those of alerts.yaml, to the letter', async () => {
  const manifests = await template({ ...VALUES, prometheusRule: { enabled: true } });
  const rules = manifests.find(({ kind }) => kind === 'PrometheusRule')?.['spec'];
  expect(rules).toEqual(parse(readFileSync(`${CHART}/alerts.yaml`, 'utf8')));
});

test('without peers for the metrics the network policy lets nobody in there', async () => {
  const policyOf = async (networkPolicy: object) =>
    (await template({ ...VALUES, networkPolicy })).find(({ kind }) => kind === 'NetworkPolicy')?.['spec'];
  expect(await policyOf({ enabled: true })).toMatchObject({ ingress: [{ ports: [{ port: 'https' }] }] });
  const from = EVERY_VALUE.networkPolicy.metricsFrom;
  expect(await policyOf({ enabled: true, metricsFrom: from })).toMatchObject({
    ingress: [{ ports: [{ port: 'https' }] }, { ports: [{ port: 'metrics' }], from }],
  });
});

test('without a Secret of yours the certificate is one that Latchkey makes', async () => {
  const manifests = await template(VALUES);
  expect(manifests.find(({ kind }) => kind === 'ConfigMap')?.data?.['config.yaml']).not.toContain('tls');
  expect(JSON.stringify(manifests.find(({ kind }) => kind === 'Deployment'))).not.toContain('/tls');
});

test('the chart never brings a TokenPolicy, so that no upgrade undoes what an admin has switched', async () => {
  const kinds = (await template(VALUES)).map(({ kind }) => kind);
  expect(kinds).toContain('CustomResourceDefinition');
  expect(kinds).not.toContain('TokenPolicy');
});

test('the CRDs of the chart say what crds/ says, are kept when the release goes, and can be left out', async () => {
  const crds = (await template(VALUES)).filter(({ kind }) => kind === 'CustomResourceDefinition');
  expect(crds).toHaveLength(2);
  for (const { metadata, ...crd } of crds) {
    const file = new URL(`../../crds/${metadata.name}.yaml`, import.meta.url);
    const { metadata: _, ...original } = parse(readFileSync(file, 'utf8')) as Manifest;
    expect(crd).toEqual(original);
    expect(metadata).toMatchObject({ annotations: { 'helm.sh/resource-policy': 'keep' } });
  }
  const without = await template({ ...VALUES, crds: { enabled: false } });
  expect(without.map(({ kind }) => kind)).not.toContain('CustomResourceDefinition');
});

test('a description with template braces in it would stay text', async () => {
  const crd = 'metadata:\n  name: x\nspec:\n  description: write {{ .Values }} here\n';
  expect(chartCrd(crd)).toContain('write {{ "{{" }} .Values {{ "}}" }} here');
});
