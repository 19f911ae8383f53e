// Whoever steals the credentials of the operator gets what it needs for its work, and nothing else: the API server
// itself refuses the rest.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { install, OPERATOR_NAMESPACE as OWN } from '../../dev/latchkey/install.ts';
import { runKubectl } from '../../dev/cluster/kubectl.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import type { ApiRequest } from '../../src/kubernetes/client.ts';
import {
  apply,
  binding,
  get,
  group,
  HANDED_OVER,
  MADE,
  merge,
  namespace,
  OWN_LABELS,
  paths,
  person,
  post,
  remove,
  RESTRICTED,
  secret,
  serviceAccount,
  stolenAccount,
} from './stolen-account.ts';

const DEADLINE_MS = 60_000;

const thief = await stolenAccount();
afterAll(() => thief.stop());
const { kubectl, attempt } = thief;

const USER = { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User' };
const POLICY = { apiVersion: 'latchkey.dev/v1alpha1', kind: 'TokenPolicy' };
/** As the operator makes it, with changes. */
const madePolicy = (accessToken: object = {}, spec: object = {}, metadata: object = {}) => ({
  ...POLICY,
  metadata: { name: 'cluster', finalizers: ['latchkey.dev/policy'], ...metadata },
  spec: {
    enabled: true,
    tokenSource: 'Latchkey',
    accessToken: { ttl: '30m', minRemaining: '10m', audiences: ['latchkey'], ...accessToken },
    directory: { onUnreachable: 'Keep', gracePeriod: '1h' },
    ...spec,
  },
});
const SELF = 'system:serviceaccount:latchkey:latchkey';
const TOKEN_REQUEST = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
const accountPath = (of: string) => `${paths.namespace(of)}/serviceaccounts/access-token`;
const accountOf = (automountServiceAccountToken: boolean, name = 'access-token') => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name },
  automountServiceAccountToken,
});
const on = (name: string, kind = 'Secret') => ({ boundObjectRef: { apiVersion: 'v1', kind, name } });
/** Asks for a token of the user's account. */
const hanging = (of: string, spec: object) =>
  post(`${accountPath(of)}/token`, {
    ...TOKEN_REQUEST,
    spec: { audiences: ['latchkey'], expirationSeconds: 600, ...spec },
  });
const events = '/apis/events.k8s.io/v1/namespaces/default/events';
const EVENT_TIME = '2030-01-01T12:00:00.000000Z';
const eventOf = (name: string, change: object) => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name, namespace: 'default' },
  eventTime: EVENT_TIME,
  reportingController: 'latchkey.dev/operator',
  reportingInstance: 'latchkey-0',
  action: 'Act',
  reason: 'Reason',
  type: 'Normal',
  regarding: { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', name: 'ada' },
  ...change,
});
const switching = (enabled: boolean) => JSON.stringify({ spec: { enabled } });
const FINALIZERS = ['example.org/never'];
const OWNERS = [{ apiVersion: 'v1', kind: 'Namespace', name: 'gone', uid: 'gone' }];
/** Filled with a token of whatever ServiceAccount of its namespace it names. */
const tokenOf = (account: string, name = 'access-token') =>
  secret(name, {
    type: 'kubernetes.io/service-account-token',
    metadata: { name, annotations: { 'kubernetes.io/service-account.name': account } },
  });

// What belongs to others: payroll is foreign, shared was handed over, and ada is of Latchkey's making.
const create = (object: object) => kubectl(['create', '-f', '-'], JSON.stringify(object));
for (const [name, labels] of [
  ['payroll', {}],
  ['shared', HANDED_OVER],
  ['lent', HANDED_OVER],
  ['ada', { ...MADE, ...RESTRICTED }],
] as const) {
  await create(namespace(name, labels));
  await kubectl(['-n', name, 'create', 'secret', 'generic', 'db', '--from-literal=password=p']);
  await kubectl(['-n', name, 'wait', '--for=create', 'serviceaccount/default', '--timeout=60s']);
}
await kubectl(['-n', 'payroll', 'create', 'secret', 'generic', 'access-token', '--from-literal=k=theirs']);
await kubectl([
  '-n',
  OWN,
  'create',
  'secret',
  'generic',
  'latchkey-local-accounts',
  '--from-literal=accounts=',
]);
// A token is asked for of an account that is there.
for (const name of ['ada', 'payroll', 'kube-system', OWN])
  await kubectl(['-n', name, 'create', 'serviceaccount', 'access-token']);
await create({ ...USER, metadata: { name: 'ada' }, spec: { groups: ['analytics'] } });
await create({ ...POLICY, metadata: { name: 'cluster' }, spec: {} });
await create(eventOf('theirs', { reportingController: 'kube-scheduler' }));
await kubectl([
  '-n',
  'ada',
  'create',
  'role',
  'everything',
  '--verb=get',
  '--resource=secrets',
  '--resource-name=access-token',
]);
const tokenPolicy = async () => JSON.parse(await kubectl(['get', 'tokenpolicy', 'cluster', '-o', 'json']));
const user = async () => JSON.parse(await kubectl(['get', 'users.latchkey.dev', 'ada', '-o', 'json']));

// The API server takes up new policies within moments. One request for each, which it alone refuses.
for (const request of [
  post('/api/v1/namespaces', namespace('probe')),
  apply(paths.secret('payroll'), secret()),
  apply(paths.binding('payroll'), binding([person('ada')])),
  post(paths.leases(OWN), { metadata: { name: 'probe' } }),
  post(paths.policies, { ...POLICY, metadata: { name: 'cluster', annotations: { a: 'b' } }, spec: {} }),
  post(events, eventOf('probe', { reportingController: 'probe' })),
])
  await waitUntil(`the policy on ${request.path}`, DEADLINE_MS, async () =>
    (await attempt({ ...request, query: { ...request.query, dryRun: 'All' } })).includes('Forbidden'),
  );

const refused = async (request: ApiRequest) => {
  const answer = await attempt(request);
  expect({ ...request, answer }).toMatchObject({ answer: expect.stringMatching(/: 403 Forbidden /) });
};

describe('what the operator needs is allowed:', () => {
  test.each<[string, ApiRequest]>([
    [
      'make a namespace',
      post('/api/v1/namespaces', namespace('grace', { ...MADE, ...RESTRICTED, ...OWN_LABELS })),
    ],
    ['make the Secret in it', apply(paths.secret('grace'), secret())],
    ['let its user read it', apply(paths.binding('grace'), binding([person('grace')]))],
    ['write the Secret', merge(paths.secret('grace'), { data: { AUTH_TOKEN: 'dA==' } })],
    ['delete the binding', remove(paths.binding('grace'))],
    ['delete the Secret', remove(paths.secret('grace'))],
    ['delete the namespace', remove(paths.namespace('grace'))],
    ['make the Secret in a namespace that was handed over', apply(paths.secret('shared'), secret())],
    ['let a user read it', apply(paths.binding('shared'), binding([person('bob')]))],
    [
      'make what tokens of Kubernetes hang on',
      apply(paths.secret('shared', 'access-token-binding'), secret('access-token-binding')),
    ],
    ['make the account that they are of', apply(accountPath('shared'), accountOf(false))],
    ['ask for one', hanging('shared', on('access-token-binding'))],
    ['end them', remove(paths.secret('shared', 'access-token-binding'))],
    ['put its finalizer on a User', merge('', {})],
    ['put its finalizer on the policy', merge('', {})],
    ['hold the Lease', post(paths.leases(OWN), { metadata: { name: 'latchkey-leader' } })],
    [
      'keep signing keys',
      post(paths.secrets(OWN), secret('latchkey-signing-keys', { type: 'latchkey.dev/signing-keys' })),
    ],
    ['read the accounts', get(paths.secret(OWN, 'latchkey-local-accounts'))],
    ['speak in Events', post(events, eventOf('ours', {}))],
    ['make the policy, where there is none', post(paths.policies, madePolicy())],
    ['count on', merge(`${events}/ours`, { series: { count: 2, lastObservedTime: EVENT_TIME } })],
  ])('%s', async (what, request) => {
    const asked = what.endsWith('on a User')
      ? put(`${paths.users}/ada`, await user(), 'latchkey.dev/offboarding')
      : what.endsWith('on the policy')
        ? put(`${paths.policies}/cluster`, await tokenPolicy(), 'latchkey.dev/policy')
        : request;
    // That one is there already.
    expect(await attempt(asked)).toMatch(
      what.startsWith('make the policy') ? /: 409 AlreadyExists / : /^done$/,
    );
  });

  function put(path: string, object: { metadata: object }, finalizer: string): ApiRequest {
    const metadata = { ...object.metadata, finalizers: [finalizer] };
    return { method: 'PUT', path, body: { ...object, metadata } };
  }
});

describe('reading: the thief cannot', () => {
  test.each<[string, ApiRequest]>([
    ['read another Secret of a foreign namespace', get(paths.secret('payroll', 'db'))],
    ['read another Secret of a namespace that was handed over', get(paths.secret('shared', 'db'))],
    ['read another Secret of a namespace that Latchkey made', get(paths.secret('ada', 'db'))],
    ['read what Helm keeps in its own namespace', get(paths.secret(OWN, 'sh.helm.release.v1.latchkey.v1'))],
    ['list all Secrets', get('/api/v1/secrets')],
    ['list the Secrets of its own namespace', get(paths.secrets(OWN))],
    ['list the Secrets of kube-system', get(paths.secrets('kube-system'))],
    [
      'find another Secret by its name',
      { ...get('/api/v1/secrets'), query: { fieldSelector: 'metadata.name=db' } },
    ],
    ['watch Secrets', { ...get('/api/v1/secrets'), query: { watch: true } }],
    ['read ConfigMaps', get('/api/v1/namespaces/kube-system/configmaps')],
    ['look into Pods', get('/api/v1/pods')],
    ...[
      'metadata.name!=access-token',
      'type=kubernetes.io/service-account-token',
      'metadata.namespace=kube-system',
    ].map((fieldSelector): [string, ApiRequest] => [
      `watch Secrets where ${fieldSelector}`,
      { ...get('/api/v1/secrets'), query: { watch: true, fieldSelector } },
    ]),
    [
      'watch another Secret by its name',
      { ...get('/api/v1/secrets'), query: { watch: true, fieldSelector: 'metadata.name=db' } },
    ],
    ['watch Secrets by the old path', get('/api/v1/watch/secrets')],
    ['watch another Secret by the old path', get('/api/v1/watch/namespaces/payroll/secrets/db')],
    [
      'find by its name what Helm keeps in its own namespace',
      {
        ...get(paths.secrets(OWN)),
        query: { fieldSelector: 'metadata.name=sh.helm.release.v1.latchkey.v1' },
      },
    ],
    ['read the Events of others', get('/apis/events.k8s.io/v1/namespaces/default/events')],
    ['read RoleBindings', get(paths.bindings('kube-system'))],
    ['read who may do what', get('/apis/rbac.authorization.k8s.io/v1/clusterroles')],
    ['reach into a node', get('/api/v1/nodes/any/proxy/pods')],
    ['reach a Service', get('/api/v1/namespaces/default/services/https:kubernetes:443/proxy/api')],
    ['read the log of a Pod', get('/api/v1/namespaces/kube-system/pods/any/log')],
  ])('%s', async (_, request) => refused(request));
});

describe('namespaces: the thief cannot', () => {
  const labels = (value: string | null) => ({ metadata: { labels: { 'latchkey.dev/namespace': value } } });
  test.each<[string, ApiRequest]>([
    ['delete a foreign one', remove(paths.namespace('payroll'))],
    ['delete one that was handed over', remove(paths.namespace('shared'))],
    ['delete kube-system', remove(paths.namespace('kube-system'))],
    ['delete its own', remove(paths.namespace(OWN))],
    ['delete all', remove('/api/v1/namespaces')],
    ['relabel a foreign one', merge(paths.namespace('payroll'), labels('made'))],
    ['relabel one that was handed over', merge(paths.namespace('shared'), labels('made'))],
    ['take the label away', merge(paths.namespace('ada'), labels(null))],
    ['relabel by server-side apply', apply(paths.namespace('payroll'), namespace('payroll', MADE))],
    ['relabel by status', merge(`${paths.namespace('payroll')}/status`, labels('made'))],
    [
      'relabel by finalize',
      { method: 'PUT', path: `${paths.namespace('payroll')}/finalize`, body: namespace('payroll', MADE) },
    ],
    ['make one without the label', post('/api/v1/namespaces', namespace('evil', RESTRICTED))],
    [
      'make one as if handed over',
      post('/api/v1/namespaces', namespace('evil', { ...HANDED_OVER, ...RESTRICTED })),
    ],
    [
      'make one in which Pods may do anything',
      post(
        '/api/v1/namespaces',
        namespace('evil', { ...MADE, 'pod-security.kubernetes.io/enforce': 'privileged' }),
      ),
    ],
    ['make one without a Pod security level', post('/api/v1/namespaces', namespace('evil', MADE))],
    ['make one by server-side apply', apply(paths.namespace('evil'), namespace('evil', RESTRICTED))],
    ['make kube-evil', post('/api/v1/namespaces', namespace('kube-evil', { ...MADE, ...RESTRICTED }))],
    [
      'make kube-evil by a generated name',
      post('/api/v1/namespaces', { metadata: { generateName: 'kube-', labels: { ...MADE, ...RESTRICTED } } }),
    ],
    [
      'make openshift-evil',
      post('/api/v1/namespaces', namespace('openshift-evil', { ...MADE, ...RESTRICTED })),
    ],
  ])('%s', async (_, request) => refused(request));
});

describe('what outlasts its credentials: the thief cannot', () => {
  const made = (more: object) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    ...more,
    metadata: {
      name: 'evil',
      labels: { ...MADE, ...RESTRICTED },
      ...('metadata' in more && (more.metadata as object)),
    },
  });
  const labelled = (name: string, more: object) => ({ metadata: { name, labels: OWN_LABELS, ...more } });
  const bound = (more: object) => ({
    ...binding([person('bob')]),
    ...labelled('latchkey-read-access-token', more),
  });
  const anchor = (more: object) => secret('access-token-binding', labelled('access-token-binding', more));
  const keys = (more: object) =>
    secret('latchkey-signing-keys', {
      type: 'latchkey.dev/signing-keys',
      ...labelled('latchkey-signing-keys', more),
    });

  test.each<[string, (more: object) => ApiRequest]>([
    ['a namespace', (metadata) => post('/api/v1/namespaces', made({ metadata }))],
    ['the Secret', (more) => apply(paths.secret('lent'), secret('access-token', labelled('access-token', more)))],
    ['the Secret that is there', (metadata) => merge(paths.secret('shared'), { metadata })],
    ['what tokens hang on', (more) => apply(paths.secret('lent', 'access-token-binding'), anchor(more))],
    ['a binding', (more) => apply(paths.binding('lent'), bound(more))],
    ['a binding that is there', (metadata) => merge(paths.binding('shared'), { metadata })],
    ['the account', (metadata) => apply(accountPath('lent'), { ...accountOf(false), metadata: { name: 'access-token', ...metadata } })],
    ['the signing keys', (more) => post(paths.secrets(OWN), keys(more))],
    ['the Lease', (more) => post(paths.leases(OWN), { metadata: { name: 'latchkey-leader', ...more } })],
    ['an Event', (more) => post(events, eventOf('kept', { metadata: { name: 'kept', namespace: 'default', ...more } }))],
  ])('put a finalizer or an owner on %s', async (_, request) => {
    await refused(request({ finalizers: FINALIZERS }));
    await refused(request({ ownerReferences: OWNERS }));
  }); // prettier-ignore

  test('make a namespace that never goes', () =>
    refused(post('/api/v1/namespaces', made({ spec: { finalizers: ['kubernetes', ...FINALIZERS] } }))));

  test('though somebody else may, and the operator writes on', async () => {
    const patch = JSON.stringify({ metadata: { finalizers: FINALIZERS } });
    await kubectl(['-n', 'shared', 'patch', 'secret', 'access-token', '--type=merge', '-p', patch]);
    expect(await attempt(merge(paths.secret('shared'), { data: { AUTH_TOKEN: 'dA==' } }))).toBe('done');
    expect(await attempt(merge(paths.secret('shared'), { metadata: { finalizers: null } }))).toBe('done');
  });
});

describe('bindings: the thief cannot', () => {
  const role = { kind: 'Role', name: 'everything' };
  test.each<[string, ApiRequest]>([
    ['bind itself', apply(paths.binding('ada'), binding([serviceAccount('latchkey', OWN)]))],
    ['bind itself by its username', apply(paths.binding('ada'), binding([person(SELF)]))],
    ['bind system:masters', apply(paths.binding('ada'), binding([group('system:masters')]))],
    ['bind everybody', apply(paths.binding('ada'), binding([group('system:authenticated')]))],
    ['bind any group', apply(paths.binding('ada'), binding([group('analytics')]))],
    ['bind a ServiceAccount', apply(paths.binding('shared'), binding([serviceAccount('default', 'shared')]))],
    ['bind a name of Kubernetes', apply(paths.binding('ada'), binding([person('system:kube-scheduler')]))],
    ['bind a second user', apply(paths.binding('ada'), binding([person('ada'), person('mallory')]))],
    ['bind nobody', apply(paths.binding('ada'), binding([]))],
    [
      'add a subject to a binding',
      merge(paths.binding('shared'), { subjects: [person('bob'), group('analytics')] }),
    ],
    [
      'bind to cluster-admin',
      apply(paths.binding('ada'), binding([person('mallory')], { name: 'cluster-admin' })),
    ],
    [
      'bind to its own role',
      apply(paths.binding('ada'), binding([person('mallory')], { name: 'latchkey-operator' })),
    ],
    ['bind to a Role', apply(paths.binding('ada'), binding([person('mallory')], role))],
    ['bind in a foreign namespace', apply(paths.binding('payroll'), binding([person('mallory')]))],
    ['bind in kube-system', apply(paths.binding('kube-system'), binding([person('mallory')]))],
    ['bind in its own namespace', apply(paths.binding(OWN), binding([person('mallory')]))],
    ['make a binding by POST', post(paths.bindings('ada'), binding([person('ada')]))],
    [
      'make a binding of another name',
      apply(paths.binding('ada', 'other'), binding([person('ada')], {}, 'other')),
    ],
    [
      'bind in the whole cluster',
      post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
        ...binding([person('mallory')]),
        kind: 'ClusterRoleBinding',
      }),
    ],
  ])('%s', async (_, request) => refused(request));
});

describe('tokens: the thief cannot', () => {
  const mint = (of: string, whose: string) =>
    post(`/api/v1/namespaces/${of}/serviceaccounts/${whose}/token`, TOKEN_REQUEST);
  test.each<[string, ApiRequest]>([
    ['mint one of another ServiceAccount', mint('kube-system', 'default')],
    ['mint one in a namespace that was handed over', mint('shared', 'default')],
    ['mint one in a namespace that Latchkey made', mint('ada', 'default')],
    ['mint another one of its own', mint(OWN, 'latchkey')],
    [
      'mint one of the account access-token of kube-system',
      hanging('kube-system', on('access-token-binding')),
    ],
    [
      'have a token reviewed',
      post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'any' } }),
    ],
    ['have one filled into access-token', apply(paths.secret('ada'), tokenOf('default'))],
    ['ask for one that hangs on nothing', hanging('ada', {})],
    ['ask for one that hangs on another Secret', hanging('ada', on('db'))],
    ['ask for one that hangs on a Pod', hanging('ada', on('access-token-binding', 'Pod'))],
    ['ask for one in a foreign namespace', hanging('payroll', on('access-token-binding'))],
    ['ask for one in its own namespace', hanging(OWN, on('access-token-binding'))],
    ['make the account in a foreign namespace', apply(accountPath('payroll'), accountOf(false))],
    ['have tokens of it mounted', apply(accountPath('ada'), accountOf(true))],
    [
      'make another account',
      apply(`${paths.namespace('ada')}/serviceaccounts/mine`, accountOf(false, 'mine')),
    ],
    [
      'keep something in what tokens hang on',
      apply(
        paths.secret('ada', 'access-token-binding'),
        secret('access-token-binding', { data: { k: 'dg==' } }),
      ),
    ],
    [
      'make what tokens hang on in a foreign namespace',
      apply(paths.secret('payroll', 'access-token-binding'), secret('access-token-binding')),
    ],
    [
      'have one of an account of a handed-over namespace filled in',
      apply(paths.secret('lent'), tokenOf('default')),
    ],
    [
      'have one of its own that never ends filled in',
      post(paths.secrets(OWN), tokenOf('latchkey', 'latchkey-tls')),
    ],
    ['make a ServiceAccount', post(`/api/v1/namespaces/${OWN}/serviceaccounts`, { metadata: { name: 'x' } })],
  ])('%s', async (_, request) => refused(request));
});

describe('Secrets: the thief cannot', () => {
  test.each<[string, ApiRequest]>([
    ['make access-token in a foreign namespace', apply(paths.secret('kube-public'), secret())],
    ['overwrite a foreign access-token', merge(paths.secret('payroll'), { data: { k: 'bWluZQ==' } })],
    [
      'label a foreign access-token as its own',
      merge(paths.secret('payroll'), { metadata: { labels: OWN_LABELS } }),
    ],
    ['delete a foreign access-token', remove(paths.secret('payroll'))],
    ['write access-token in its own namespace', apply(paths.secret(OWN), secret())],
    [
      'make another Secret in a namespace that was handed over',
      apply(paths.secret('shared', 'other'), secret('other')),
    ],
    ['make one by POST', post(paths.secrets('shared'), secret())],
    [
      'change another Secret in a namespace that was handed over',
      merge(paths.secret('shared', 'db'), { data: {} }),
    ],
    ['delete another Secret of a namespace that Latchkey made', remove(paths.secret('ada', 'db'))],
    ['delete all Secrets there', remove(paths.secrets('ada'))],
    ['change the accounts', merge(paths.secret(OWN, 'latchkey-local-accounts'), { data: {} })],
    [
      'replace the accounts',
      {
        method: 'PUT',
        path: paths.secret(OWN, 'latchkey-local-accounts'),
        body: secret('latchkey-local-accounts'),
      },
    ],
    ['make another Secret of its own', post(paths.secrets(OWN), secret('other'))],
    ['delete the signing keys', remove(paths.secret(OWN, 'latchkey-signing-keys'))],
    [
      'make one of a generated name',
      post(paths.secrets(OWN), {
        metadata: { generateName: 'latchkey-signing-keys' },
        type: 'latchkey.dev/signing-keys',
      }),
    ],
    ['delete all of a foreign namespace', remove(paths.secrets('payroll'))],
  ])('%s', async (_, request) => refused(request));
});

describe('rights: the thief cannot', () => {
  const admission = '/apis/admissionregistration.k8s.io/v1';
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const policy = `${admission}/validatingadmissionpolicies/latchkey-operator-secrets`;
  test.each<[string, ApiRequest]>([
    ['delete an admission policy', remove(policy)],
    ['loosen an admission policy', merge(policy, { spec: { failurePolicy: 'Ignore' } })],
    [
      'unbind an admission policy',
      remove(`${admission}/validatingadmissionpolicybindings/latchkey-operator-secrets`),
    ],
    [
      'have an admission policy only warn',
      merge(`${admission}/validatingadmissionpolicybindings/latchkey-operator-secrets`, {
        spec: { validationActions: ['Warn'] },
      }),
    ],
    [
      'have an admission policy pass over it',
      post(`${admission}/validatingadmissionpolicybindings`, { metadata: { name: 'x' } }),
    ],
    ['make a webhook', post(`${admission}/mutatingwebhookconfigurations`, { metadata: { name: 'x' } })],
    ['widen its ClusterRole', merge(`${rbac}/clusterroles/latchkey-operator`, { rules: [] })],
    ['widen what readers may', merge(`${rbac}/clusterroles/latchkey-read-access-token`, { rules: [] })],
    [
      'put all rights into a ClusterRole of its own',
      post(`${rbac}/clusterroles`, {
        metadata: { name: 'x' },
        rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
      }),
    ],
    [
      'have its ClusterRole aggregate others',
      merge(`${rbac}/clusterroles/latchkey-operator`, { aggregationRule: {} }),
    ],
    ['unbind its ClusterRole', remove(`${rbac}/clusterrolebindings/latchkey-operator`)],
    [
      'bind others to its ClusterRole',
      merge(`${rbac}/clusterrolebindings/latchkey-operator`, { subjects: [group('system:authenticated')] }),
    ],
    ['widen its Role', merge(`${rbac}/namespaces/${OWN}/roles/latchkey-operator`, { rules: [] })],
    ['bind its Role to others', merge(paths.binding(OWN, 'latchkey-operator'), { subjects: [] })],
    [
      'change a CRD',
      merge('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/users.latchkey.dev', { spec: {} }),
    ],
    ['delete a CRD', remove('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/users.latchkey.dev')],
    ['run a Pod', post(`/api/v1/namespaces/${OWN}/pods`, { metadata: { name: 'x' } })],
    [
      'change its Deployment',
      merge(`/apis/apps/v1/namespaces/${OWN}/deployments/latchkey`, { spec: { replicas: 9 } }),
    ],
    [
      'go before others at the API server',
      merge('/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/latchkey', {
        spec: { matchingPrecedence: 1 },
      }),
    ],
    [
      'take the Lease of another',
      post(paths.leases('kube-system'), { metadata: { name: 'kube-scheduler' } }),
    ],
    ['delete the Lease of another', remove(`${paths.leases('kube-system')}/kube-scheduler`)],
    ['delete its own Lease', remove(`${paths.leases(OWN)}/latchkey-leader`)],
    [
      'write into the Lease of another',
      merge(`${paths.leases('kube-system')}/kube-scheduler`, { spec: { holderIdentity: 'me' } }),
    ],
    [
      'make another Lease of a generated name',
      post(paths.leases(OWN), { metadata: { generateName: 'latchkey-' } }),
    ],
    [
      'ask for a certificate of a master',
      post('/apis/certificates.k8s.io/v1/certificatesigningrequests', { metadata: { name: 'x' }, spec: {} }),
    ],
    [
      'approve a certificate',
      merge('/apis/certificates.k8s.io/v1/certificatesigningrequests/any/approval', { status: {} }),
    ],
    [
      'take over an API group',
      post('/apis/apiregistration.k8s.io/v1/apiservices', { metadata: { name: 'v1.example.org' } }),
    ],
    [
      'make a CRD',
      post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { metadata: { name: 'x' } }),
    ],
    ['make another Lease', post(paths.leases(OWN), { metadata: { name: 'other' } })],
    [
      'make Events elsewhere',
      post('/apis/events.k8s.io/v1/namespaces/payroll/events', { metadata: { name: 'x' } }),
    ],
    [
      'speak in Events in the name of another',
      post(events, eventOf('forged', { reportingController: 'kube-scheduler' })),
    ],
    [
      'count on in an Event of another',
      merge(`${events}/theirs`, { series: { count: 2, lastObservedTime: EVENT_TIME } }),
    ],
    [
      'have an Event of another collected as the child of something',
      merge(`${events}/theirs`, {
        metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'gone', uid: 'gone' }] },
      }),
    ],
  ])('%s', async (_, request) => refused(request));

  test('be somebody else', async () => {
    const { kubectl: program } = thief.cluster.binaries;
    for (const as of [
      ['--as=admin', '--as-group=system:masters'],
      ['--as=system:serviceaccount:kube-system:default'],
    ])
      await expect(
        runKubectl({ kubectl: program, kubeconfig: thief.kubeconfig, args: [...as, 'get', 'secrets', '-A'] }),
      ).rejects.toThrow(/cannot impersonate/);
  });
});

const ONBOARDED = { 'latchkey.dev/onboarded': 'true' };
const onboarded = (name: string, spec: object = {}, metadata: object = {}) => ({
  ...USER,
  metadata: { name, labels: ONBOARDED, ...metadata },
  spec,
});

describe('Users and the policy: the thief cannot', () => {
  const changes: readonly [string, (ada: Awaited<ReturnType<typeof user>>) => object][] = [
    ['give a User another group', (ada) => ({ ...ada, spec: { ...ada.spec, groups: ['admins'] } })],
    ['make a User an admin', (ada) => ({ ...ada, spec: { ...ada.spec, role: 'admin' } })],
    ['switch a User on or off', (ada) => ({ ...ada, spec: { ...ada.spec, disabled: true } })],
    ['label a User', (ada) => ({ ...ada, metadata: { ...ada.metadata, labels: { a: 'b' } } })],
    [
      'keep a User from going, by the finalizer of another',
      (ada) => ({ ...ada, metadata: { ...ada.metadata, finalizers: ['example.org/never'] } }),
    ],
    [
      'have a User collected as the child of something',
      (ada) => ({
        ...ada,
        metadata: {
          ...ada.metadata,
          ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'gone', uid: 'gone' }],
        },
      }),
    ],
  ];
  test.each(changes)('%s', async (_, change) =>
    refused({ method: 'PUT', path: `${paths.users}/ada`, body: change(await user()) }),
  );

  const policyChanges: readonly [string, (its: Awaited<ReturnType<typeof tokenPolicy>>) => object][] = [
    ['switch everybody on or off', (its) => ({ ...its, spec: { ...its.spec, enabled: false } })],
    [
      'let its tokens live for a day',
      (its) => ({
        ...its,
        spec: { ...its.spec, accessToken: { ttl: '24h', minRemaining: '10m', audiences: ['latchkey'] } },
      }),
    ],
    [
      'confirm a hold',
      (its) => ({
        ...its,
        metadata: { ...its.metadata, annotations: { 'latchkey.dev/confirm': 'k7mx2q' } },
      }),
    ],
    [
      'keep the policy from going, by the finalizer of another',
      (its) => ({ ...its, metadata: { ...its.metadata, finalizers: ['example.org/never'] } }),
    ],
    ['label the policy', (its) => ({ ...its, metadata: { ...its.metadata, labels: { a: 'b' } } })],
    [
      'have the policy collected as the child of something',
      (its) => ({
        ...its,
        metadata: {
          ...its.metadata,
          ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'gone', uid: 'gone' }],
        },
      }),
    ],
  ];
  test.each(policyChanges)('%s', async (_, change) =>
    refused({ method: 'PUT', path: `${paths.policies}/cluster`, body: change(await tokenPolicy()) }),
  );

  test.each<[string, ApiRequest]>([
    ['make a User', post(paths.users, { ...USER, metadata: { name: 'mallory' }, spec: {} })],
    ['make one that is onboarded, unless an admin allows that', post(paths.users, onboarded('mallory'))],
    ['delete a User', remove(`${paths.users}/ada`)],
    ['switch the policy', merge(`${paths.policies}/cluster`, { spec: { enabled: true } })],
    ['delete the policy', remove(`${paths.policies}/cluster`)],
    [
      'make one for whom it likes',
      post(paths.policies, madePolicy({ audiences: ['latchkey', 'kubernetes'] })),
    ],
    ['make one whose tokens live for longer', post(paths.policies, madePolicy({ ttl: '31m' }))],
    ['make one of tokens of Kubernetes', post(paths.policies, madePolicy({}, { tokenSource: 'Kubernetes' }))],
    [
      'make one that lets people in',
      post(paths.policies, madePolicy({}, { onboarding: { groups: ['cn=all,dc=example,dc=org'] } })),
    ],
    [
      'make one with a session of its own',
      post(paths.policies, madePolicy({}, { session: { maxAge: '9999h' } })),
    ],
    ['make one that never goes', post(paths.policies, madePolicy({}, {}, { finalizers: FINALIZERS }))],
    ['make one that somebody owns', post(paths.policies, madePolicy({}, {}, { ownerReferences: OWNERS }))],
    ['make one with an annotation', post(paths.policies, madePolicy({}, {}, { annotations: { a: 'b' } }))],
    ['delete all Users', remove(paths.users)],
    ['delete all policies', remove(paths.policies)],
  ])('%s', async (_, request) => refused(request));
});

describe('a Secret of ours in a namespace that is no longer labelled', () => {
  const patchAsAdmin = (patch: object) =>
    kubectl(['-n', 'once', 'patch', 'secret', 'access-token', '--type=merge', '-p', JSON.stringify(patch)]);

  test('may be deleted and let go of, and nothing else', async () => {
    await create(namespace('once', HANDED_OVER));
    expect(await attempt(apply(paths.secret('once'), secret()))).toBe('done');
    expect(await attempt(apply(paths.binding('once'), binding([person('ada')])))).toBe('done');
    await kubectl(['label', 'namespace', 'once', 'latchkey.dev/namespace-']);
    const write = merge(paths.secret('once'), { data: { AUTH_TOKEN: 'dA==' } });
    await waitUntil('the label to be gone for the API server, too', DEADLINE_MS, async () =>
      (await attempt({ ...write, query: { dryRun: 'All' } })).includes('Forbidden'),
    );
    await refused(write);
    await refused(merge(paths.secret('once'), { metadata: { finalizers: ['a.example.org/b'] } }));
    await patchAsAdmin({ metadata: { finalizers: ['a.example.org/b'] } });
    expect(await attempt(remove(paths.secret('once')))).toBe('done');
    await refused(write);
    await refused(merge(paths.secret('once'), { metadata: { finalizers: null }, data: { a: 'dA==' } }));
    expect(await attempt(merge(paths.secret('once'), { metadata: { finalizers: null } }))).toBe('done');
    await refused(merge(paths.binding('once'), { subjects: [person('mallory')] }));
    expect(await attempt(remove(paths.binding('once')))).toBe('done');
    expect(await attempt(get(paths.secret('once')))).toMatch(/: 404 /);
  });
});

/** Somebody who may do this and nothing else, in the whole cluster. */
async function personWith(name: string, rule: object): Promise<typeof attempt> {
  await create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [rule],
  });
  await kubectl(['create', 'clusterrolebinding', name, `--clusterrole=${name}`, `--user=${name}`]);
  return thief.attemptAs(await thief.cluster.clientKubeconfig(name));
}

describe('the label of a namespace', () => {
  test('is set, changed and removed by nobody who may not adopt namespaces', async () => {
    const carol = await personWith('carol', {
      apiGroups: [''],
      resources: ['namespaces', 'namespaces/status', 'namespaces/finalize'],
      verbs: ['get', 'create', 'update', 'patch'],
    });
    const label = (value: string | null) => ({ metadata: { labels: { 'latchkey.dev/namespace': value } } });
    const { spec } = JSON.parse(await kubectl(['get', 'namespace', 'payroll', '-o', 'json']));
    const requests = [
      merge(paths.namespace('payroll'), label('made')),
      merge(paths.namespace('payroll'), label('handed-over')),
      merge(paths.namespace('shared'), label('made')),
      merge(paths.namespace('ada'), label(null)),
      merge(paths.namespace('ada'), { metadata: { labels: { 'latchkey.dev/user-uid': 'other' } } }),
      apply(paths.namespace('payroll'), namespace('payroll', MADE)),
      merge(`${paths.namespace('payroll')}/status`, label('made')),
      {
        method: 'PUT' as const,
        path: `${paths.namespace('payroll')}/finalize`,
        body: { ...namespace('payroll', MADE), spec },
      },
      post('/api/v1/namespaces', namespace('fresh', MADE)),
      { method: 'PUT' as const, path: paths.namespace('shared'), body: namespace('shared') },
    ];
    await waitUntil('the policy', DEADLINE_MS, async () =>
      (await carol({ ...requests[0], query: { dryRun: 'All' } } as ApiRequest)).includes('the verb "adopt"'),
    );
    for (const request of requests)
      expect({ request, answer: await carol(request) }).toMatchObject({
        answer: expect.stringContaining('one needs the verb "adopt" on namespaces'),
      });

    expect(await carol(merge(paths.namespace('ada'), { metadata: { labels: { team: 'a' } } }))).toBe('done');
    expect(await carol(post('/api/v1/namespaces', namespace('fresh')))).toBe('done');

    await kubectl([
      'create',
      'clusterrole',
      'adopter',
      '--verb=adopt',
      '--resource=namespaces',
      '--resource-name=payroll',
    ]);
    await kubectl(['create', 'clusterrolebinding', 'adopter', '--clusterrole=adopter', '--user=carol']);
    const handOver = merge(paths.namespace('payroll'), label('handed-over'));
    await waitUntil('the right to adopt', DEADLINE_MS, async () => (await carol(handOver)) === 'done');
    expect(await carol(merge(paths.namespace('fresh'), label('handed-over')))).toMatch(/403/);
  });
});

describe('the TokenPolicy, while it is switched off', () => {
  afterAll(() => kubectl(['patch', 'tokenpolicy', 'cluster', '--type=merge', '-p', switching(true)]));

  test('is deleted by nobody: the operator that leads next would make one that is on', async () => {
    const dave = await personWith('dave', {
      apiGroups: ['latchkey.dev'],
      resources: ['tokenpolicies'],
      verbs: ['get', 'list', 'delete', 'deletecollection'],
    });
    const dryRun = { dryRun: 'All' };
    const one = { ...remove(`${paths.policies}/cluster`), query: dryRun };
    await waitUntil('the right to delete', DEADLINE_MS, async () => (await dave(one)) === 'done');

    await kubectl(['patch', 'tokenpolicy', 'cluster', '--type=merge', '-p', switching(false)]);
    const said = expect.stringContaining('set spec.enabled to true first');
    for (const request of [one, { ...one, query: {} }, remove(paths.policies)])
      expect({ request, answer: await dave(request) }).toEqual({ request, answer: said });
    // Nor by an admin, whose tool may prune what is no longer in its repository.
    await expect(kubectl(['delete', 'tokenpolicies', '--all'])).rejects.toThrow('set spec.enabled to true');
    expect((await tokenPolicy()).metadata.deletionTimestamp).toBeUndefined();
  });
});

test('every policy is in force, closed on failure, and speaks of fields that there are', async () => {
  const list = async (kind: string) => JSON.parse(await kubectl(['get', kind, '-o', 'json'])).items;
  const names = (items: { metadata: { name: string } }[]) => items.map(({ metadata }) => metadata.name);
  const policies = await waitUntil('the API server to have checked the types', DEADLINE_MS, async () => {
    const items: Policy[] = await list('validatingadmissionpolicies');
    return items.every(({ status }) => status?.typeChecking !== undefined) && items;
  });
  for (const { spec, status } of policies)
    expect([spec.failurePolicy, status?.typeChecking]).toEqual(['Fail', {}]);
  expect(names(await list('validatingadmissionpolicybindings'))).toEqual(names(policies));
});

interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly failurePolicy: string };
  readonly status?: { readonly typeChecking?: object };
}

describe('where an admin lets Latchkey onboard', () => {
  beforeAll(() => install(thief.cluster, { onboarding: { enabled: true } }));

  test('it makes Users such as anybody could be', async () => {
    const spec = { username: 'grace@example.org', displayName: 'Grace', email: 'grace@example.org' };
    expect(await attempt(post(paths.users, onboarded('grace', spec)))).toBe('done');
  });

  test.each<[string, object]>([
    ['an admin', onboarded('mallory', { role: 'admin' })],
    ['one with groups', onboarded('mallory', { groups: ['admins'] })],
    ['one without the label', onboarded('mallory', {}, { labels: {} })],
    [
      'one with another value of it',
      onboarded('mallory', {}, { labels: { 'latchkey.dev/onboarded': 'no' } }),
    ],
    ['one with another label', onboarded('mallory', {}, { labels: { ...ONBOARDED, a: 'b' } })],
    ['one with an annotation', onboarded('mallory', {}, { annotations: { a: 'b' } })],
    ['one that nobody can delete', onboarded('mallory', {}, { finalizers: ['example.org/mine'] })],
    [
      'one that is the child of something',
      onboarded(
        'mallory',
        {},
        { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }] },
      ),
    ],
    ['one in the namespace of another', onboarded('mallory', { namespace: 'payroll' })],
  ])('the thief cannot make %s', async (_, body) => {
    await refused(post(paths.users, body));
    await refused(apply(`${paths.users}/mallory`, body));
  });

  test('the thief cannot make one whose namespace is reserved', async () => {
    for (const name of ['kube-evil', 'default', OWN, 'openshift-evil'])
      expect(await attempt(post(paths.users, onboarded(name)))).toMatch(/: (403|422) /);
  });
});
