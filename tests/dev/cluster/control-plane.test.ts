// The control plane is a real one: these are the things that only a real one does.
import { afterAll, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { type ControlPlane, startControlPlane } from '../../../dev/cluster/control-plane.ts';
import { runKubectl } from '../../../dev/cluster/kubectl.ts';
import { kubernetesVersion } from '../../../dev/cluster/version.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import { isAlive } from '../../support/alive.ts';

const controlPlane = await startControlPlane();
afterAll(() => controlPlane.stop());

const kubectlOf =
  ({ binaries, adminKubeconfig }: ControlPlane) =>
  (...args: string[]): Promise<string> =>
    runKubectl({ kubectl: binaries.kubectl, kubeconfig: adminKubeconfig, args });
const kubectl = kubectlOf(controlPlane);

test('the server and its kubectl say the version that go.mod names', async () => {
  const answer: unknown = JSON.parse(await kubectl('version', '-o', 'json'));
  const gitVersion = kubernetesVersion();
  expect(answer).toMatchObject({ clientVersion: { gitVersion }, serverVersion: { gitVersion } });
});

test('a deleted namespace goes, with what is in it', async () => {
  await kubectl('create', 'namespace', 'short-lived');
  await kubectl('-n', 'short-lived', 'create', 'configmap', 'note');
  await kubectl('delete', 'namespace', 'short-lived', '--timeout=60s');
  expect(await kubectl('get', 'namespaces', '-o', 'name')).not.toContain('short-lived');
});

test('a new namespace gets its service account and the cluster CA', async () => {
  await kubectl('create', 'namespace', 'furnished');
  await kubectl('-n', 'furnished', 'wait', '--for=create', 'serviceaccount/default', '--timeout=60s');
  await kubectl('-n', 'furnished', 'wait', '--for=create', 'configmap/kube-root-ca.crt', '--timeout=60s');
});

test('a client certificate authenticates as its common name and groups, and may do nothing by itself', async () => {
  const kubeconfig = await controlPlane.clientKubeconfig('latchkey:ada/x+y', ['analytics', 'ops']);
  const call = { kubectl: controlPlane.binaries.kubectl, kubeconfig };
  const answer: unknown = JSON.parse(await runKubectl({ ...call, args: ['auth', 'whoami', '-o', 'json'] }));
  expect(answer).toMatchObject({
    status: {
      userInfo: { username: 'latchkey:ada/x+y', groups: ['analytics', 'ops', 'system:authenticated'] },
    },
  });
  await expect(runKubectl({ ...call, args: ['get', 'secrets'] })).rejects.toThrow('forbidden');
});

test('the API server comes back with other flags on the same address, and with its data', async () => {
  await kubectl('create', 'configmap', 'kept', '--from-literal=a=b');
  await controlPlane.stopApiServer();
  await expect(kubectl('get', 'configmaps')).rejects.toThrow('connection');

  await controlPlane.restartApiServer({ apiServerFlags: ['--runtime-config=apps/v1=false'] });
  expect(await kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}')).toBe('b');
  expect(await kubectl('api-versions')).not.toContain('apps/v1');

  await controlPlane.restartApiServer();
  expect(await kubectl('api-versions')).toContain('apps/v1');
});

test('without etcd the API server runs and can do nothing, and with it again all is as it was', async () => {
  await kubectl('create', 'configmap', 'lasting', '--from-literal=a=b');
  const before = controlPlane.pids();
  await controlPlane.stopEtcd();
  expect(controlPlane.pids()).toHaveLength(before.length - 1);
  await expect(kubectl('create', 'configmap', 'lost', '--request-timeout=3s')).rejects.toThrow();

  await controlPlane.restartEtcd();
  expect(await kubectl('get', 'configmap', 'lasting', '-o', 'jsonpath={.data.a}')).toBe('b');
  await kubectl('create', 'configmap', 'later');
  // The API server is the same process: nobody has restarted it.
  expect(controlPlane.pids().filter((pid) => before.includes(pid))).toHaveLength(before.length - 1);
});

test('a server that ends early is an error with the end of its log, and leaves nothing behind', async () => {
  const starting = startControlPlane({ apiServerFlags: ['--no-such-flag'] });
  await expect(starting).rejects.toMatchObject({
    code: 'ProcessDied',
    message: expect.stringContaining('unknown flag: --no-such-flag'),
  });
});

test('what one leaves, another begins with; its controllers run when it has started', async () => {
  const heirs = temporaryFolder('latchkey-heirs');
  const first = await startControlPlane();
  await kubectlOf(first)('create', 'configmap', 'left', '--from-literal=a=b');
  await first.leaveTo(heirs.path);
  expect(first.pids()).toEqual([]);
  await first.stop();

  const second = await startControlPlane({ from: heirs.path });
  expect(await kubectlOf(second)('get', 'configmap', 'left', '-o', 'jsonpath={.data.a}')).toBe('b');
  // Nobody but they could have made it: it is not among what was left.
  await kubectlOf(second)('get', 'serviceaccount', 'default');
  await second.stop();
  heirs.remove();
});

test('stopping it leaves no process and no file', async () => {
  const other = await startControlPlane();
  const pids = other.pids();
  expect(pids.filter(isAlive)).toHaveLength(3);
  await other.stop();
  expect(pids.filter(isAlive)).toEqual([]);
  expect(existsSync(other.folder)).toBe(false);
});
