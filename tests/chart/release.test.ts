// The chart as Helm installs, upgrades and removes it, on a real API server.
import { afterAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Agent, request } from 'undici';
import { startControlPlane } from '../../dev/cluster/control-plane.ts';
import {
  adminHelm,
  adminKubectl,
  CHART,
  install,
  OPERATOR_NAMESPACE,
  RELEASE,
  VALUES,
} from '../../dev/latchkey/install.ts';
import { runProgram } from '../../dev/run-program.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { EVERY_VALUE } from './every-value.ts';

/** Helm takes some seconds each time, and on a busy machine ten. */
const TIMEOUT_MS = 300_000;
const DEADLINE_MS = 60_000;

const cluster = await startControlPlane();
afterAll(() => cluster.stop());
const kubectl = adminKubectl(cluster);
const helm = adminHelm(cluster);
await install(cluster);

const json = async (...args: string[]) => JSON.parse(await kubectl([...args, '-o', 'json']));

test('what Helm says after the installation makes a User', async () => {
  const notes = await helm(['get', 'notes', RELEASE]);
  const [command = ''] = /printf .*kubectl create -f -$/m.exec(notes) ?? [];
  const path = `${dirname(cluster.binaries.kubectl)}:${process.env['PATH']}`;
  const env = { ...process.env, PATH: path, KUBECONFIG: cluster.adminKubeconfig };
  const args = ['-ec', `${command} --dry-run=server`];
  expect(await runProgram({ command: 'sh', args, env, timeoutMs: 30_000 })).toContain('ada created');
});

test(
  'an upgrade leaves the policy as an admin has switched it, and the Users as they are',
  async () => {
    const policy = {
      apiVersion: 'latchkey.dev/v1alpha1',
      kind: 'TokenPolicy',
      metadata: { name: 'cluster' },
      spec: { enabled: false },
    };
    const user = { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', metadata: { name: 'ada' }, spec: {} };
    for (const object of [policy, user]) await kubectl(['create', '-f', '-'], JSON.stringify(object));
    const before = await json('get', 'tokenpolicies.latchkey.dev,users.latchkey.dev');

    await install(cluster, { replicas: 3 });
    expect(await json('get', 'tokenpolicies.latchkey.dev,users.latchkey.dev')).toEqual(before);
    expect((await json('-n', OPERATOR_NAMESPACE, 'get', 'deployment', 'latchkey')).spec.replicas).toBe(3);
    const values = JSON.parse(await helm(['get', 'values', RELEASE, '--all', '-o', 'json']));
    expect(values.replicas).toBe(3);
  },
  TIMEOUT_MS,
);

test(
  'a change of the settings rolls the Pods, and nothing else does',
  async () => {
    const annotations = async () =>
      (await json('-n', OPERATOR_NAMESPACE, 'get', 'deployment', 'latchkey')).spec.template.metadata
        .annotations;
    await install(cluster);
    const before = await annotations();
    await install(cluster, { replicas: 3 });
    expect(await annotations()).toEqual(before);
    await install(cluster, { settings: { externalUrl: 'https://other.example.org' } });
    expect(await annotations()).not.toEqual(before);
  },
  TIMEOUT_MS,
);

test(
  'with every value set the API server takes it as it takes the defaults',
  async () => {
    // There is no Prometheus operator here, and no CRD is to be missing.
    const off = { serviceMonitor: { enabled: false }, prometheusRule: { enabled: false } };
    await install(cluster, { ...EVERY_VALUE, ...off, crds: { enabled: true } });
    const { spec } = await json('-n', OPERATOR_NAMESPACE, 'get', 'deployment', 'latchkey');
    expect(spec.template.spec.volumes).toContainEqual({
      name: 'tls',
      secret: { secretName: 'portal', defaultMode: 0o440 },
    });
    await install(cluster);
  },
  TIMEOUT_MS,
);

test('a namespace that enforces the Pod security standard "restricted" takes the Pods', async () => {
  const { spec } = await json('-n', OPERATOR_NAMESPACE, 'get', 'deployment', 'latchkey');
  await kubectl(['create', 'namespace', 'strict']);
  await kubectl(['label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted']);
  await kubectl(['-n', 'strict', 'create', 'serviceaccount', spec.template.spec.serviceAccountName]);
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: spec.template.spec };
  const create = (object: object) =>
    kubectl(['-n', 'strict', 'create', '--dry-run=server', '-f', '-'], JSON.stringify(object));
  expect(await create(pod)).toContain('pod/p created');

  const [container] = pod.spec.containers;
  expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
  // The namespace does enforce it.
  const loose = { ...pod, spec: { ...pod.spec, containers: [{ ...container, securityContext: {} }] } };
  await expect(create(loose)).rejects.toThrow(/violates PodSecurity "restricted/);
});

test('the API server serves the Lease and everything else of the operator in flows of its own', async () => {
  const { items } = await json('get', 'flowschemas', '-l', `app.kubernetes.io/instance=${RELEASE}`);
  const token = await kubectl(['-n', OPERATOR_NAMESPACE, 'create', 'token', 'latchkey']);
  const agent = new Agent({ connect: { ca: readFileSync(cluster.caFile) } });
  const flowOf = async (path: string) => {
    const answer = await request(`${cluster.url}${path}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}` },
    });
    await answer.body.dump();
    const uid = answer.headers['x-kubernetes-pf-flowschema-uid'];
    return items.find(({ metadata }: { metadata: { uid: string } }) => metadata.uid === uid)?.metadata.name;
  };
  // It takes up a new FlowSchema within moments.
  await waitUntil('the flow of the Lease', DEADLINE_MS, async () => {
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases`;
    return (await flowOf(`${leases}/latchkey-leader`)) === 'latchkey-leader';
  });
  await waitUntil(
    'the flow of everything else',
    DEADLINE_MS,
    async () => (await flowOf('/apis/latchkey.dev/v1alpha1/users')) === 'latchkey',
  );
  expect(await flowOf('/api/v1/namespaces/ada/secrets/access-token')).toBe('latchkey');
  expect(await flowOf('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x')).toBe('latchkey');
  await agent.close();
});

test(
  'uninstalling keeps the CRDs with every User, and installing again takes them up',
  async () => {
    await helm(['uninstall', RELEASE]);
    expect((await json('get', 'users.latchkey.dev')).items).toHaveLength(1);
    expect(await kubectl(['get', 'clusterroles', '-o', 'name'])).not.toContain('latchkey');
    // As an admin does it, without the flags that take over what is not Helm's.
    await helm(['install', RELEASE, CHART, '--values', '-'], JSON.stringify(VALUES));
    expect((await json('get', 'users.latchkey.dev')).items).toHaveLength(1);
  },
  TIMEOUT_MS,
);

test(
  'elsewhere it is installed again as docs/operations.md says, and the Users are as they were',
  async () => {
    await helm(['uninstall', RELEASE]);
    // The last one counts.
    const elsewhere = ['install', 'other', CHART, '--namespace', 'elsewhere', '--create-namespace'];
    const values = JSON.stringify(VALUES);
    await expect(helm([...elsewhere, '--values', '-'], values)).rejects.toThrow(/invalid ownership metadata/);
    await helm([...elsewhere, '--values', '-', '--take-ownership'], values);
    expect((await json('get', 'users.latchkey.dev')).items).toHaveLength(1);
  },
  TIMEOUT_MS,
);
