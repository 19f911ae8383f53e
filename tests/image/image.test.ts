// The image, as far as it goes without a container engine: what the Dockerfile makes, started as the chart's Deployment
// starts it, is ready, gives a user a token, and stops.
import { afterAll, expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { startControlPlane } from '../../dev/cluster/control-plane.ts';
import { runKubectl } from '../../dev/cluster/kubectl.ts';
import { adminKubectl, install, OPERATOR_NAMESPACE, writeLocalAccounts } from '../../dev/latchkey/install.ts';
import { freePort } from '../../dev/ports.ts';
import { startServer, type ServerProcess } from '../../dev/process.ts';
import { runProgram } from '../../dev/run-program.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { codeBlocks, pageText } from '../docs/admin-shell.ts';
import { inContainer, processOne, volume } from './container.ts';
import { carryOut, NODE_FIRST } from './dockerfile.ts';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const PASSWORD = 'correct horse battery staple';
const READY_TIMEOUT_MS = 60_000;
const MEBIBYTE = 1024 * 1024;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

interface Pod {
  readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
  readonly containers: readonly {
    readonly command?: readonly string[];
    readonly args?: readonly string[];
    readonly env?: readonly object[];
    readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly scheme: string } };
    readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
    readonly volumeMounts: readonly {
      readonly name: string;
      readonly mountPath: string;
      readonly readOnly?: boolean;
    }[];
  }[];
  readonly securityContext: { readonly runAsUser: number; readonly fsGroup: number };
  readonly terminationGracePeriodSeconds: number;
}

const folder = temporaryFolder('latchkey-image');
const image = await carryOut(REPOSITORY, folder.path);
const cluster = await startControlPlane();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.kill()));
  await cluster.stop();
  folder.remove();
});

const port = await freePort();
const metricsPort = await freePort();
const portal = `https://localhost:${port}`;
await install(cluster, { settings: { externalUrl: portal } });
const kubectl = adminKubectl(cluster);
const inNamespace = (...args: string[]) => kubectl(['-n', OPERATOR_NAMESPACE, ...args]);
const deployment = JSON.parse(await inNamespace('get', 'deployment', 'latchkey', '-o', 'json'));
const pod = deployment.spec.template.spec as Pod;
const [container] = pod.containers;
if (!container) throw new Error('the Pod has no container');

/** Of the grace period, the first seconds pass before the signal; and this machine is not the slowest. */
const leftToStop = (pod.terminationGracePeriodSeconds - container.lifecycle.preStop.sleep.seconds) / 2;

const [user = 0] = image.user.split(':').map(Number);
const base = { root: image.root, workingDirectory: image.workingDirectory, user };
const run = (argv: readonly string[], input = '') =>
  runProgram({ ...inContainer({ ...base, argv }), input, timeoutMs: 60_000 });

/** What the kubelet mounts: the ConfigMaps of the Deployment, and who the Pod is. */
async function mounts(): Promise<Record<string, string>> {
  const token = (await inNamespace('create', 'token', 'latchkey')).trim();
  const ca = readFileSync(cluster.caFile, 'utf8');
  const found: Record<string, string> = {};
  const mount = (name: string, mountPath: string, files: Readonly<Record<string, string>>) => {
    found[mountPath] = volume(join(folder.path, name), pod.securityContext.fsGroup, files);
  };
  mount('account', SERVICE_ACCOUNT, { token, 'ca.crt': ca, namespace: OPERATOR_NAMESPACE });
  for (const { name, mountPath, readOnly } of container?.volumeMounts ?? []) {
    expect(readOnly).toBe(true);
    const configMap = pod.volumes.find((one) => one.name === name)?.configMap?.name ?? '';
    const { data } = JSON.parse(await inNamespace('get', 'configmap', configMap, '-o', 'json'));
    mount(name, mountPath, data);
  }
  return found;
}

/** As the Deployment starts it; only the addresses are others, as no network of a Pod is here. */
async function start(apiServer: URL): Promise<ServerProcess> {
  expect(container?.env ?? []).toEqual([]);
  const server = startServer({
    ...inContainer({
      ...base,
      user: pod.securityContext.runAsUser,
      argv: [...(container?.command ?? image.entrypoint), ...(container?.args ?? image.cmd)],
      env: {
        KUBERNETES_SERVICE_HOST: apiServer.hostname,
        KUBERNETES_SERVICE_PORT: apiServer.port,
        LATCHKEY_LISTEN_ADDRESS: `127.0.0.1:${port}`,
        LATCHKEY_METRICS_LISTEN_ADDRESS: `127.0.0.1:${metricsPort}`,
      },
      mounts: await mounts(),
    }),
    logFile: join(folder.path, 'operator.log'),
  });
  running.push(server);
  return server;
}

/** As the kubelet asks: it verifies no certificate. @returns the status; 0 where nobody listens yet */
async function probe(server: ServerProcess, path: string): Promise<number> {
  server.assertAlive();
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const { statusCode, body } = await request(`${portal}${path}`, { dispatcher: agent });
    await body.dump();
    return statusCode;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    return 0;
  } finally {
    await agent.close();
  }
}

/** @returns how it ended, and after how long. */
async function stop(server: ServerProcess): Promise<{ how: string; seconds: number }> {
  const began = performance.now();
  process.kill(processOne(server.pid), 'SIGTERM');
  return { how: await server.ended, seconds: (performance.now() - began) / 1_000 };
}

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(path, name)).isFile(),
  );
}

test('is made on one base, the Node that the tests run on, by its tag', () => {
  const [major = ''] = process.versions.node.split('.');
  expect(image.bases).toEqual([`node:${major}-slim`, `node:${major}-slim`]);
  // By number, so that the kubelet sees that it is not root.
  expect(image.user).toBe(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsUser}`);
});

test('holds the program and what it needs to run, and nothing else', () => {
  const app = join(image.root, image.workingDirectory);
  expect(readdirSync(app).toSorted()).toEqual(['dist', 'node_modules', 'package.json']);
  const program = filesIn(join(app, 'dist'));
  expect(program).toContain('main.js');
  expect(program.filter((name) => !/\.(js|css|svg)$/.test(name))).toEqual([]);

  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
  const isThere = (name: string) => existsSync(join(app, 'node_modules', name, 'package.json'));
  expect(Object.keys(dependencies).filter((name) => !isThere(name))).toEqual([]);
  expect(Object.keys(devDependencies).filter(isThere)).toEqual([]);
  const bytes = filesIn(app).reduce((sum, name) => sum + statSync(join(app, name)).size, 0);
  expect(bytes / MEBIBYTE).toBeLessThan(40);
});

test('runs as nobody, who can write nowhere', async () => {
  const script = `
    const { mkdirSync } = require('node:fs');
    const write = (path) => { try { mkdirSync(path); return 'written'; } catch ({ code }) { return code; } };
    console.log(JSON.stringify([process.pid, process.getuid(), process.getgid(), ...['/x', '/app/x', '/tmp/x'].map(write)]));
  `;
  expect(JSON.parse(await run(['node', '-e', script]))).toEqual([1, user, user, 'EROFS', 'EROFS', 'EROFS']);
});

test('is the program: its arguments are commands, which read and print as they do elsewhere', async () => {
  expect(await run([...image.entrypoint, '--help'])).toContain('Usage: latchkey <command> [flags]');
  const line = await run([...image.entrypoint, 'accounts', 'hash', '--username=ada'], PASSWORD);
  expect(line).toMatch(/^ada:\$scrypt\$/);
  await writeLocalAccounts(cluster, [line.trim()]);
});

test('the program is made for an admin as docs/operations.md says, from what the image is made from', async () => {
  const [commands = ''] = codeBlocks(pageText('docs/operations.md'), 'sh');
  const [fetching = '', build = '', ...others] = commands.trim().split('\n');
  for (const command of [fetching, build])
    expect(pageText('Dockerfile')).toMatch(new RegExp(`RUN ${command}( &&|$)`, 'm'));
  const clone = image.stages.get('build');
  const prefix = join(folder.path, 'prefix');
  const script = `cd "${join(clone?.root ?? '', clone?.workingDirectory ?? '')}"\n${others.join('\n')}\n"${prefix}/bin/latchkey" --help`;
  const env = { ...process.env, PATH: NODE_FIRST, npm_config_prefix: prefix, npm_config_offline: 'true' };
  const output = await runProgram({ command: 'sh', args: ['-ec', script], env, timeoutMs: 60_000 });
  expect(output).toContain('Usage: latchkey <command> [flags]');
});

test('becomes ready as the Deployment starts it, gives a user a token, and stops when it is told to', async () => {
  const server = await start(new URL(cluster.url));
  const { path, scheme } = container.readinessProbe.httpGet;
  expect(scheme).toBe('HTTPS');
  await waitUntil('the Pod to be ready', READY_TIMEOUT_MS, async () => (await probe(server, path)) === 200);

  const ada = { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', metadata: { name: 'ada' }, spec: {} };
  await kubectl(['create', '-f', '-'], JSON.stringify(ada));
  await kubectl(['wait', '--for=jsonpath={.status.phase}=Pending', '--timeout=60s', 'users.latchkey.dev/ada']); // prettier-ignore
  const ca = await inNamespace('get', 'secret', 'latchkey-tls', '-o', 'jsonpath={.data.ca\\.crt}');
  const agent = new Agent({ connect: { ca: Buffer.from(ca, 'base64') } });
  const answer = await request(`${portal}/sign-in`, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ username: 'ada', password: PASSWORD }).toString(),
  });
  await answer.body.dump();
  await agent.close();
  expect(answer.statusCode).toBe(303);

  const kubeconfig = await cluster.clientKubeconfig('ada');
  const args = ['-n', 'ada', 'get', 'secret', 'access-token', '-o', 'jsonpath={.data.AUTH_TOKEN}'];
  await waitUntil('the token', READY_TIMEOUT_MS, async () => {
    const token = await runKubectl({ kubectl: cluster.binaries.kubectl, kubeconfig, args });
    return Buffer.from(token, 'base64').toString().split('.').length === 3;
  });

  const { how, seconds } = await stop(server);
  expect(how).toBe('exit code 0');
  expect(seconds).toBeLessThan(leftToStop);
  const holder = await inNamespace(
    'get',
    'lease',
    'latchkey-leader',
    '-o',
    'jsonpath={.spec.holderIdentity}',
  );
  expect(holder).toBe('');
});

test('stops when it is told to before it has reached the API server, too', async () => {
  const server = await start(new URL(`https://127.0.0.1:${await freePort()}`));
  await waitUntil('it to live', READY_TIMEOUT_MS, async () => (await probe(server, '/livez')) === 200);
  expect(await probe(server, '/readyz')).toBe(503);
  const { how, seconds } = await stop(server);
  expect(how).toBe('exit code 0');
  expect(seconds).toBeLessThan(leftToStop);
});
