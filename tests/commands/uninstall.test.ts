// Removing Latchkey, with its operator still running: what it made is gone, what it did not make is as it was.
import { afterAll, expect, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { adminHelm, install, OPERATOR_NAMESPACE, RELEASE } from '../../dev/latchkey/install.ts';
import { startOperator } from '../../dev/latchkey/operator.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PASSWORD = 'correct horse battery staple';
const LEASE = '--lease-duration=4s';
const TIMEOUT_MS = 300_000;
const DEADLINE_MS = 60_000;

const accounts = { ada: PASSWORD, bob: PASSWORD, carol: PASSWORD };
const latchkey = await startLatchkey({ accounts, ownCertificate: true, flags: [LEASE] });
afterAll(() => latchkey.stop());
const { kubectl } = latchkey;

const args = (...more: string[]) => [
  MAIN,
  'uninstall',
  ...more,
  `--kubeconfig=${latchkey.cluster.adminKubeconfig}`,
  `--namespace=${OPERATOR_NAMESPACE}`,
];
const uninstall = async (...more: string[]) => (await run(process.execPath, args(...more))).stdout;
const names = async (kind: string, ...more: string[]) =>
  (await kubectl(['get', kind, '-o', 'name', ...more])).split('\n').filter(Boolean);
const secrets = () => names('secrets', '-A', '--field-selector=metadata.name=access-token');
const bindings = () =>
  names('rolebindings', '-A', '--field-selector=metadata.name=latchkey-read-access-token');
const create = (object: object) => kubectl(['create', '-f', '-'], JSON.stringify(object));

async function signedIn(name: string): Promise<void> {
  expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  await latchkey.untilToken(name);
}

async function people(): Promise<void> {
  for (const [name, labels] of [
    ['carol', { 'latchkey.dev/namespace': 'handed-over' }],
    ['foreign', {}],
  ] as const)
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  await kubectl(['-n', 'carol', 'create', 'secret', 'generic', 'precious', '--from-literal=a=b']);
  await kubectl([
    '-n',
    'foreign',
    'create',
    'secret',
    'generic',
    'access-token',
    '--from-literal=AUTH_TOKEN=theirs',
  ]);
  await kubectl([
    '-n',
    'foreign',
    'create',
    'rolebinding',
    'latchkey-read-access-token',
    '--clusterrole=view',
    '--user=eve',
  ]);
  for (const name of Object.keys(accounts)) {
    await latchkey.createUser(name);
    await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
    await signedIn(name);
  }
}

test(
  'with an operator that runs on, every token goes and stays away, and what is foreign is as it was',
  async () => {
    await people();
    // Somebody's finalizer, which would keep a token.
    await kubectl([
      '-n',
      'bob',
      'patch',
      'secret',
      'access-token',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":["a.example.org/b"]}}',
    ]);

    // Interrupted in the middle, and run again.
    const interrupted = spawn(process.execPath, args(), { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(interrupted.stdout, 'data');
    interrupted.kill('SIGKILL');
    const output = await uninstall();
    expect(output).toContain('Run "helm uninstall" within the hour');
    expect(output).toContain('namespaces that Latchkey has made are left alone');
    expect(await secrets()).toEqual(['secret/access-token']);
    expect(
      await kubectl(['-n', 'foreign', 'get', 'secret', 'access-token', '-o', 'jsonpath={.data.AUTH_TOKEN}']),
    ).toBe('dGhlaXJz');
    expect(await bindings()).toEqual(['rolebinding.rbac.authorization.k8s.io/latchkey-read-access-token']);
    expect(
      await kubectl([
        '-n',
        'foreign',
        'get',
        'rolebinding',
        'latchkey-read-access-token',
        '-o',
        'jsonpath={.roleRef.name}',
      ]),
    ).toBe('view');
    expect(await names('namespaces')).toEqual(
      expect.arrayContaining(['namespace/ada', 'namespace/bob', 'namespace/carol']),
    );
    await kubectl(['-n', 'carol', 'get', 'secret', 'precious']);

    // The operator still runs, and has every reason to work.
    await waitUntil('the operator to know that it leads no longer', DEADLINE_MS, () =>
      latchkey.operator.log().includes('no longer leading'),
    );
    await latchkey.createUser('dora');
    await latchkey.patch('users.latchkey.dev ada', { spec: { displayName: 'Ada' } });
    expect(await uninstall()).toContain('0 Secrets access-token are gone');
    expect((await latchkey.user('dora')).metadata.finalizers).toBeUndefined();
    expect((await latchkey.user('ada')).metadata.finalizers).toBeUndefined();
    expect(await kubectl(['get', 'tokenpolicy', 'cluster', '-o', 'jsonpath={.metadata.finalizers}'])).toBe(
      '',
    );
  },
  TIMEOUT_MS,
);

test(
  'after "helm uninstall" nothing is left but the Users, the policy and the namespaces',
  async () => {
    await adminHelm(latchkey.cluster)(['uninstall', RELEASE]);
    await latchkey.operator.stop();
    latchkey.operator.remove();
    for (const kind of [
      'clusterroles',
      'clusterrolebindings',
      'validatingadmissionpolicies',
      'validatingadmissionpolicybindings',
      'flowschemas',
      'prioritylevelconfigurations',
    ])
      // prettier-ignore
      expect((await names(kind)).filter((name) => name.includes('latchkey'))).toEqual([]);
    await waitUntil(
      'the Lease to go with its Deployment',
      DEADLINE_MS,
      async () => (await names('leases', '-n', OPERATOR_NAMESPACE)).length === 0,
    );
    // What an admin made stays.
    expect(await names('secrets', '-n', OPERATOR_NAMESPACE)).toEqual(['secret/latchkey-local-accounts']);
    expect(await names('roles,rolebindings', '-n', 'default')).toEqual([]);
    expect(await names('users.latchkey.dev')).toHaveLength(4);
    await kubectl(['delete', 'users.latchkey.dev', 'dora', '--timeout=60s']);
  },
  TIMEOUT_MS,
);

test(
  'a new installation leads at once, and nobody has a token who has not signed in again',
  async () => {
    await install(latchkey.cluster);
    latchkey.operator = await startOperator(latchkey.cluster, { ownCertificate: true, flags: [LEASE] });
    const status = await latchkey.untilStatus('ada', ({ session, phase }) => !session && phase === 'Pending');
    expect(status.conditions?.find(({ type }) => type === 'SignedIn')?.status).toBe('False');
    await latchkey.untilNoToken('ada');
    await signedIn('ada');
  },
  TIMEOUT_MS,
);

test(
  'tokens of Kubernetes die, with what they hang on and the accounts that they are of',
  async () => {
    await kubectl(['-n', 'foreign', 'create', 'secret', 'generic', 'access-token-binding']);
    await kubectl(['-n', 'foreign', 'create', 'serviceaccount', 'access-token']);
    await latchkey.patch('tokenpolicy cluster', {
      spec: {
        tokenSource: 'Kubernetes',
        accessToken: { ttl: '600s', minRemaining: '300s', audiences: ['latchkey'] },
      },
    });
    const tokens: string[] = [];
    for (const name of ['ada', 'carol']) {
      await signedIn(name);
      const sub = `system:serviceaccount:${name}:access-token`;
      tokens.push(
        await waitUntil(`a token of Kubernetes for ${name}`, DEADLINE_MS, async () => {
          const { token, claims } = await latchkey.untilToken(name);
          return claims.sub === sub && token;
        }),
      );
    }
    const isGood = async (token: string): Promise<boolean> => {
      const review = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: ['latchkey'] },
      };
      const answer = await kubectl(['create', '-o', 'json', '-f', '-'], JSON.stringify(review));
      return JSON.parse(answer).status.authenticated === true;
    };
    for (const token of tokens) expect(await isGood(token)).toBe(true);

    await uninstall();
    const where = (kind: string, name: string) =>
      kubectl(['get', kind, '-A', `--field-selector=metadata.name=${name}`, '-o', 'jsonpath={.items[*].metadata.namespace}']); // prettier-ignore
    expect(await where('secrets', 'access-token')).toBe('foreign');
    expect(await where('secrets', 'access-token-binding')).toBe('foreign');
    expect(await where('serviceaccounts', 'access-token')).toBe('foreign');
    // The API server remembers for 10 s what it has found good.
    for (const token of tokens)
      await waitUntil('the API server to refuse it', DEADLINE_MS, async () => !(await isGood(token)));
  },
  TIMEOUT_MS,
);

test(
  '--delete-namespaces deletes those that Latchkey made, and no other',
  async () => {
    expect(await uninstall('--delete-namespaces')).toContain('2 namespaces that Latchkey has made');
    for (const name of ['ada', 'bob'])
      await kubectl(['wait', '--for=delete', `namespace/${name}`, '--timeout=60s']);
    expect(await names('namespaces')).toEqual(
      expect.arrayContaining([
        'namespace/carol',
        'namespace/foreign',
        'namespace/kube-system',
        'namespace/latchkey',
      ]),
    );
    expect(await uninstall('--delete-namespaces')).not.toContain('Waiting');
  },
  TIMEOUT_MS,
);

test('who may not do it is told so, and nothing is removed', async () => {
  const kubeconfig = await latchkey.cluster.clientKubeconfig('mallory');
  await expect(
    run(process.execPath, [
      MAIN,
      'uninstall',
      `--kubeconfig=${kubeconfig}`,
      `--namespace=${OPERATOR_NAMESPACE}`,
    ]),
  ).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/latchkey: .*403 Forbidden/) });
});
