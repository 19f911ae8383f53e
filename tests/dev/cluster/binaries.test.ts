// Whoever brings programs of their own, or has no Go, is told exactly what is missing.
import { afterAll, afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBinaries } from '../../../dev/cluster/binaries.ts';
import { kubernetesVersion } from '../../../dev/cluster/version.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';

const folder = temporaryFolder('latchkey-binaries');
afterAll(() => folder.remove());

const said: string[] = [];
beforeEach(() => void jest.spyOn(console, 'error').mockImplementation((line) => void said.push(line)));
afterEach(() => void jest.restoreAllMocks());

const BUILT = `control-plane-${kubernetesVersion()}-${process.platform}-${process.arch}`;
const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'];

function folderWith(name: string, programs: readonly string[], script = ''): string {
  const path = join(folder.path, name);
  mkdirSync(path);
  for (const program of programs) {
    writeFileSync(join(path, program), `#!/bin/sh\n${script}`);
    chmodSync(join(path, program), 0o755);
  }
  return path;
}

// Stands in for Go where it fails: a real one can be made neither old nor to break off in the middle.
function environmentWithGo(name: string, script: string): NodeJS.ProcessEnv {
  const bin = folderWith(`${name}-bin`, ['go'], script);
  return { PATH: `${bin}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder.path, `${name}-cache`) };
}

test('the folder of KUBEBUILDER_ASSETS is used when it holds all four programs', async () => {
  const assets = folderWith('whole', PROGRAMS);
  const binaries = await findBinaries({ KUBEBUILDER_ASSETS: assets });
  expect(binaries).toEqual(Object.fromEntries(PROGRAMS.map((name) => [name, join(assets, name)])));
});

test('assets of setup-envtest lack the controller manager, and the error says where to get it', async () => {
  const assets = folderWith('envtest', ['etcd', 'kube-apiserver', 'kubectl']);
  await expect(findBinaries({ KUBEBUILDER_ASSETS: assets })).rejects.toMatchObject({
    code: 'BinaryMissing',
    message: expect.stringMatching(/has no program kube-controller-manager: setup-envtest does not bring it/),
  });
});

test('a file that cannot be executed does not count', async () => {
  const assets = folderWith('locked', PROGRAMS);
  chmodSync(join(assets, 'etcd'), 0o644);
  await expect(findBinaries({ KUBEBUILDER_ASSETS: assets })).rejects.toThrow(/has no program etcd/);
});

test('without Go the error names what to install', async () => {
  const empty = folderWith('empty', []);
  const env = { PATH: empty, XDG_CACHE_HOME: join(folder.path, 'no-go-cache') };
  await expect(findBinaries(env)).rejects.toMatchObject({
    code: 'GoMissing',
    message: expect.stringMatching(
      /^Go 1\.\d+\.\d+ or later .*Install Go from https:\/\/go\.dev\/dl.*KUBEBUILDER_ASSETS/,
    ),
  });
});

test('a Go that is too old is told apart', async () => {
  const env = environmentWithGo(
    'old',
    'echo "go: go.mod requires go >= 1.26.0 (running go 1.24.4)" >&2; exit 1',
  );
  await expect(findBinaries(env)).rejects.toMatchObject({
    code: 'GoTooOld',
    message: expect.stringContaining('running go 1.24.4'),
  });
});

test('a build that breaks off is never taken for a finished one', async () => {
  const env = environmentWithGo(
    'breaks',
    '[ "$1" = build ] || exit 0; touch "$8/kubectl"; echo "disk full" >&2; exit 3',
  );
  const error = { code: 'BuildFailed', message: expect.stringContaining('disk full') };
  await expect(findBinaries(env)).rejects.toMatchObject(error);
  await expect(findBinaries(env)).rejects.toMatchObject(error);
  expect(readdirSync(join(folder.path, 'breaks-cache', 'latchkey'))).not.toContain(BUILT);
});

test('two that want it at once build it once, stamped with the version, and say how far it is', async () => {
  const calls = join(folder.path, 'calls');
  const programs = ['kube-apiserver', 'kube-controller-manager', 'kubectl', 'server'];
  const env = environmentWithGo(
    'once',
    `[ "$1" = build ] || exit 0
     echo "$@" >> ${calls}; echo k8s.io/api/core/v1 >&2; sleep 6
     for f in ${programs.join(' ')}; do printf '#!/bin/sh' > "$8/$f"; chmod +x "$8/$f"; done`,
  );
  const [one, other] = await Promise.all([findBinaries(env), findBinaries(env)]);
  expect(one).toEqual(other);
  expect(existsSync(one.etcd)).toBe(true);
  const [call, ...more] = readFileSync(calls, 'utf8').trim().split('\n');
  expect(more).toEqual([]);
  expect(call).toContain(`-X k8s.io/component-base/version.gitVersion=${kubernetesVersion()}`);
  expect(said).toContainEqual(expect.stringMatching(/^\d+ s, 1 packages compiled: k8s\.io\/api\/core\/v1$/));
});
