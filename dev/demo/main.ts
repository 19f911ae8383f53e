// `npm run demo`: a control plane, Latchkey, and two people on this machine, until Ctrl-C.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { TOKEN_KEY, TOKEN_SECRET } from '../../src/api/names.ts';
import { LatchkeyError } from '../../src/errors.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { latchkeyCommand } from '../latchkey/command.ts';
import { adminKubectl, install, OPERATOR_NAMESPACE, VALUES } from '../latchkey/install.ts';
import { startOperator } from '../latchkey/operator.ts';
import { webhookFlags } from '../latchkey/webhook.ts';
import { waitUntil } from '../wait-until.ts';
import { demoAccounts, type Account } from './accounts.ts';
import { startDirectory, type DirectoryKind } from './directory.ts';

const FOLDER = fileURLToPath(new URL('../../.demo/', import.meta.url));
const STATE = join(FOLDER, 'demo.json');
const CLUSTER_KUBECONFIG = join(FOLDER, 'cluster.kubeconfig');
const USER_TIMEOUT_MS = 30_000;
/** What the demo's kube-apiserver is called in tokens, by default and in Latchkey's own settings. */
const API_AUDIENCE = 'https://kubernetes.default.svc.cluster.local';
const USAGE = 'usage: npm run demo [-- --directory local|openldap]';

class DemoError extends LatchkeyError<'DemoRunsAlready' | 'Stopped'> {}

function readDirectory(): DirectoryKind | undefined {
  try {
    const { values } = parseArgs({ options: { directory: { type: 'string', default: 'local' } } });
    return values.directory === 'local' || values.directory === 'openldap' ? values.directory : undefined;
  } catch {
    return undefined;
  }
}

function say(text: string): void {
  console.log(text);
}

/** A demo that was killed leaves its folder; one that runs must not lose it. */
function takeFolder(): void {
  if (existsSync(STATE)) {
    const { pid } = JSON.parse(readFileSync(STATE, 'utf8')) as { pid: number };
    if (isAlive(pid))
      throw new DemoError('DemoRunsAlready', `The demo runs already. Stop it with: kill ${pid}`);
  }
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { mode: 0o700 });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function demo(kind: DirectoryKind, stopped: AbortSignal): Promise<void> {
  // Whatever is started goes on this list, and is stopped in the reverse order.
  const started: { readonly what: string; readonly stop: () => Promise<unknown> }[] = [];
  const step = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
    if (stopped.aborted) throw new DemoError('Stopped', 'stopped');
    say(`• ${what}`);
    return run();
  };
  try {
    takeFolder();
    started.push({ what: 'files', stop: async () => rmSync(FOLDER, { recursive: true, force: true }) });

    const cluster = await step('Starting etcd, kube-apiserver and kube-controller-manager', () =>
      startControlPlane(),
    );
    started.push({ what: 'control plane', stop: () => cluster.stop() });
    const kubectl = adminKubectl(cluster);

    const tokenAudiences = ['latchkey', API_AUDIENCE];
    await step('Installing the Helm chart', () =>
      install(cluster, { settings: { ...VALUES.settings, tokenAudiences } }),
    );
    const accounts = demoAccounts();
    const directory = await step(
      kind === 'local' ? 'Writing two local accounts' : 'Starting OpenLDAP with two accounts',
      () => startDirectory(kind, cluster, accounts),
    );
    started.push({ what: 'directory', stop: () => directory.stop() });

    const operator = await step('Starting the operator and the portal', () =>
      startOperator(cluster, {
        flags: [`--token-audiences=${tokenAudiences.join(',')}`, ...directory.flags],
      }),
    );
    started.push({ what: 'operator', stop: () => operator.stop() });
    await step('Having the API server ask Latchkey about tokens', async () => {
      const command = latchkeyCommand(cluster.adminKubeconfig);
      const callerToken = await command(
        'callers', 'add', 'kube-apiserver', `--namespace=${OPERATOR_NAMESPACE}`,
      ); // prettier-ignore
      await cluster.restartApiServer({
        apiServerFlags: webhookFlags({
          file: join(FOLDER, 'webhook.kubeconfig'),
          url: `${operator.portal}/token-review`,
          caFile: operator.caFile,
          callerToken: callerToken.trim(),
          cacheTtl: '1s',
        }),
      });
    });

    await step('Creating the Users', () => kubectl(['apply', '-f', '-'], JSON.stringify(userList(accounts))));
    const kubeconfigs = await step('Giving each of them a kubeconfig', async () =>
      Promise.all(
        accounts.map(async ({ username }) => {
          const file = join(FOLDER, `${username}.kubeconfig`);
          copyFileSync(await cluster.clientKubeconfig(username), file);
          return { username, file };
        }),
      ),
    );
    copyFileSync(cluster.adminKubeconfig, join(FOLDER, 'admin.kubeconfig'));
    writeClusterKubeconfig(cluster);
    copyFileSync(operator.caFile, join(FOLDER, 'portal-ca.crt'));
    for (const { username, file } of kubeconfigs)
      await waitUntil(`the namespace of ${username}`, USER_TIMEOUT_MS, () =>
        mayRead(kubectl, username, file),
      );

    const kubeconfigOf = (name: string) => kubeconfigs.find(({ username }) => username === name)?.file ?? '';
    writeState({
      pid: process.pid,
      portal: operator.portal,
      portalCA: join(FOLDER, 'portal-ca.crt'),
      kubeconfig: join(FOLDER, 'admin.kubeconfig'),
      clusterKubeconfig: CLUSTER_KUBECONFIG,
      kubectl: cluster.binaries.kubectl,
      accounts: accounts.map(({ username, password }) => ({
        username,
        password,
        kubeconfig: kubeconfigOf(username),
      })),
    });
    say(farewell(operator.portal, accounts, cluster.binaries.kubectl, kubeconfigOf));
    await untilAborted(stopped);
  } finally {
    say('\nStopping …');
    for (const { what, stop } of started.toReversed()) {
      await stop().catch((error: unknown) =>
        console.error(`${what}: ${error instanceof Error ? error.message : ''}`),
      );
    }
    say('Stopped; nothing is left running.');
  }
}

function userList(accounts: readonly Account[]): object {
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: accounts.map(({ username, displayName, groups }) => ({
      apiVersion: 'latchkey.dev/v1alpha1',
      kind: 'User',
      metadata: { name: username },
      spec: { displayName, email: `${username}@example.org`, groups },
    })),
  };
}

/** Says where the cluster is, and nothing of who one is: a client certificate would win over a token. */
function writeClusterKubeconfig({ url, caFile }: { readonly url: string; readonly caFile: string }): void {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'demo',
    contexts: [{ name: 'demo', context: { cluster: 'demo', user: '' } }],
    clusters: [{ name: 'demo', cluster: { server: url, 'certificate-authority': caFile } }],
  };
  writeFileSync(CLUSTER_KUBECONFIG, JSON.stringify(kubeconfig), { mode: 0o600 });
}

/** Whether the user's own kubeconfig may read the Secret: then everything that the operator makes is there. */
async function mayRead(kubectl: (args: string[]) => Promise<string>, username: string, kubeconfig: string) {
  return kubectl([
    '--kubeconfig',
    kubeconfig,
    '-n',
    username,
    'get',
    'secret',
    TOKEN_SECRET,
    '-o',
    'name',
  ]).catch(
    () => undefined, // Not yet there, or not yet allowed.
  );
}

/** Whole or not at all: whoever waits for the file may read it as soon as it is there. */
function writeState(state: object): void {
  const unfinished = `${STATE}.unfinished`;
  writeFileSync(unfinished, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, STATE);
}

function farewell(
  portal: string,
  accounts: readonly Account[],
  kubectl: string,
  kubeconfigOf: (username: string) => string,
): string {
  const first = accounts[0]?.username ?? '';
  const people = accounts.map(({ username, password }) => `    ${username.padEnd(8)} ${password}`).join('\n');
  return `
Latchkey is ready.

  1. Sign in at ${portal}
     (the certificate is the demo's own; your browser asks once whether to go on)

${people}

  2. Read the token, as often as you like:

    export PATH="${dirname(kubectl)}:$PATH"
    export KUBECONFIG="$PWD/${relative(process.cwd(), kubeconfigOf(first))}" USER_NAMESPACE=${first}
    kubectl -n $USER_NAMESPACE get secret ${TOKEN_SECRET} -o jsonpath='{.data.${TOKEN_KEY}}' | base64 -d

  3. Be somebody with it, for as long as it is good:

    AUTH_TOKEN=$(kubectl -n $USER_NAMESPACE get secret ${TOKEN_SECRET} -o jsonpath='{.data.${TOKEN_KEY}}' | base64 -d)
    kubectl --kubeconfig=.demo/cluster.kubeconfig --token=$AUTH_TOKEN auth whoami

  As an admin: export KUBECONFIG="$PWD/.demo/admin.kubeconfig"; kubectl get users.latchkey.dev

Ctrl-C stops everything.`;
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  // A timer keeps the process alive: child processes and signal handlers alone need not.
  const alive = setInterval(() => undefined, 60_000);
  await promise;
  clearInterval(alive);
}

const kind = readDirectory();
if (!kind) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  try {
    await demo(kind, stop.signal);
  } catch (error) {
    if (!(error instanceof LatchkeyError)) throw error;
    if (error.code !== 'Stopped') {
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}
