// A cluster of a suite's own with Latchkey in it, as the demo has it, and the hands of an admin, a user and a script.
import { decodeJwt, type JWTPayload } from 'jose';
import { readFileSync } from 'node:fs';
import type { TokenPolicy } from '../../src/api/token-policy.ts';
import type { User, UserStatus } from '../../src/api/user.ts';
import { hasStatus } from '../../src/kubernetes/api-error.ts';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { hashPassword } from '../../src/directory/local/password-hash.ts';
import { askOnce, type Answer } from '../../dev/ask-once.ts';
import { startControlPlane, type ControlPlane } from '../../dev/cluster/control-plane.ts';
import { runKubectl } from '../../dev/cluster/kubectl.ts';
import { adminKubectl, install, writeLocalAccounts, type Kubectl } from '../../dev/latchkey/install.ts';
import { startOperator, type Operator, type OperatorOptions } from '../../dev/latchkey/operator.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startInstalledCluster } from './installed-cluster.ts';
import { samplesIn } from '../metrics/samples.ts';

/** Longer than the longest pause of the work queue, or a Lease whose holder was killed. */
const DEADLINE_MS = 60_000;
/** Of what an account may have. On a busy machine a sign-in by the default takes longer than the 5 s that it may. */
const LEAST_COST = { ln: 13, r: 8, p: 1 };
const API = '/apis/latchkey.dev/v1alpha1';
/** What is patched all the time: in this process, as a start of kubectl takes a tenth of a second of a processor. */
const LATCHKEY_OWN: Readonly<Record<string, string>> = {
  'users.latchkey.dev': `${API}/users`,
  tokenpolicy: `${API}/tokenpolicies`,
};

export interface LatchkeyOptions extends OperatorOptions {
  /** Local accounts: username → password. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** More values of the chart. */
  readonly values?: object;
  /** Where the operator finds the API server, for example at a proxy; the cluster's own address by default. */
  readonly apiServer?: (url: string) => Promise<string>;
}

export interface Latchkey {
  readonly cluster: ControlPlane;
  /** The operator that runs now. */
  operator: Operator;
  readonly kubectl: Kubectl;
  /** kubectl as the person whose client certificate says so. */
  as(username: string): Promise<Kubectl>;
  createUser(name: string, spec?: Partial<User['spec']>): Promise<void>;
  /** A merge patch by an admin of a resource as kubectl names it, for example `users.latchkey.dev ada`. */
  patch(resource: string, patch: object): Promise<void>;
  /** What an admin reads at that path of the API server; undefined where nothing is there. */
  read<T>(path: string): Promise<T | undefined>;
  user(name: string): Promise<User>;
  policy(): Promise<TokenPolicy>;
  /** Waits until the status is as it should be, and returns it. */
  untilStatus(name: string, holds: (status: UserStatus, user: User) => boolean): Promise<UserStatus>;
  signIn(username: string, password: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** A scrape of the operator's metrics: `name{label="value"}` → value. */
  metrics(): Promise<Record<string, number>>;
  /** A request to the portal; a path such as /sign-out. */
  portal(
    method: 'GET' | 'POST',
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Answer>;
  /** The token in the Secret as an admin reads it; undefined where there is none. */
  token(namespace: string): Promise<string | undefined>;
  untilToken(namespace: string): Promise<{ readonly token: string; readonly claims: JWTPayload }>;
  untilNoToken(namespace: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startLatchkey({
  accounts = {},
  values,
  apiServer,
  ...options
}: LatchkeyOptions = {}): Promise<Latchkey> {
  const cluster = await (values ? startControlPlane() : startInstalledCluster());
  try {
    if (values) await install(cluster, values);
    const lines = Object.entries(accounts).map(
      async ([name, password]) => `${name}:${await hashPassword(password, LEAST_COST)}`,
    );
    await writeLocalAccounts(cluster, await Promise.all(lines));
    const url = apiServer ? await apiServer(cluster.url) : cluster.url;
    const operator = await startOperator({ ...cluster, url }, options);
    return latchkey(cluster, kubernetesClient(await loadConnection(cluster.adminKubeconfig)), operator);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

interface SecretWithToken {
  readonly data?: { readonly AUTH_TOKEN?: string };
}

function latchkey(cluster: ControlPlane, admin: KubernetesClient, first: Operator): Latchkey {
  const kubectl = adminKubectl(cluster);
  const state = { operator: first };

  const portal: Latchkey['portal'] = async (method, path, headers = {}, body) => {
    const { operator } = state;
    return askOnce(new URL(path, operator.portal), {
      ca: readFileSync(operator.caFile),
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    });
  };
  // Asked again and again; a kubectl for each time would take half of the machine.
  const user = (name: string) => admin.request<User>({ method: 'GET', path: `${API}/users/${name}` });
  const policy = () => admin.request<TokenPolicy>({ method: 'GET', path: `${API}/tokenpolicies/cluster` });
  const read = <T>(path: string) =>
    admin.request<T>({ method: 'GET', path }).catch((error: unknown) => {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    });
  const tokenIn = ({ data }: SecretWithToken = {}) =>
    data?.AUTH_TOKEN === undefined ? undefined : Buffer.from(data.AUTH_TOKEN, 'base64').toString();
  const secretPath = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets/access-token`;
  const token = async (namespace: string) =>
    tokenIn(await admin.request<SecretWithToken>({ method: 'GET', path: secretPath(namespace) }));
  /** A Secret or a namespace that is not there, or not yet, is no token. */
  const tokenIfAny = async (namespace: string) => tokenIn(await read<SecretWithToken>(secretPath(namespace)));

  return {
    cluster,
    get operator() {
      return state.operator;
    },
    set operator(next) {
      state.operator = next;
    },
    kubectl,
    async as(username) {
      const kubeconfig = await cluster.clientKubeconfig(username);
      return (args, input) =>
        runKubectl({
          kubectl: cluster.binaries.kubectl,
          kubeconfig,
          args,
          ...(input !== undefined && { input }),
        });
    },
    async createUser(name, spec = {}) {
      const body = { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', metadata: { name }, spec };
      // As strict as kubectl.
      const query = { fieldValidation: 'Strict' };
      await admin.request({ method: 'POST', path: `${API}/users`, query, body });
    },
    async patch(resource, body) {
      const [kind = '', name] = resource.split(' ');
      const path = LATCHKEY_OWN[kind];
      if (path === undefined) {
        await kubectl(['patch', ...resource.split(' '), '--type=merge', '-p', JSON.stringify(body)]);
        return;
      }
      const contentType = 'application/merge-patch+json';
      await admin.request({ method: 'PATCH', path: `${path}/${name}`, contentType, body });
    },
    read,
    user,
    policy,
    untilStatus: (name, holds) =>
      waitUntil(`the status of ${name}`, DEADLINE_MS, async (see) => {
        const found = await user(name);
        see(found.status ?? 'no status');
        return found.status && holds(found.status, found) && found.status;
      }),
    signIn: (username, password, headers) =>
      portal('POST', '/sign-in', headers, new URLSearchParams({ username, password }).toString()),
    portal,
    metrics: async () => samplesIn((await askOnce(state.operator.metricsUrl, { ca: undefined })).text),
    token,
    untilToken: (namespace) =>
      waitUntil(`a token in ${namespace}`, DEADLINE_MS, async () => {
        const found = await tokenIfAny(namespace);
        return found !== undefined && { token: found, claims: decodeJwt(found) };
      }),
    untilNoToken: async (namespace) => {
      await waitUntil(
        `no token in ${namespace}`,
        DEADLINE_MS,
        async () => (await tokenIfAny(namespace)) === undefined,
      );
    },
    async stop() {
      await state.operator.stop();
      state.operator.remove();
      await admin.close();
      await cluster.stop();
    },
  };
}

/** The value of the cookie that a sign-in set, as a Cookie header. */
export function cookieOf({ headers }: Answer): string {
  const cookie = [headers['set-cookie'] ?? []].flat().find((line) => line.startsWith('__Host-latchkey='));
  if (cookie === undefined) throw new Error('no cookie was set');
  return cookie.split(';')[0] ?? '';
}
