// Builds the programs of the control plane from their Go modules, once for each version.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { tryLock } from '../lock.ts';
import { waitUntil } from '../wait-until.ts';
import { compileTools, requireGo } from './go.ts';
import { type Versions, versions } from './version.ts';

const BUILD_TIMEOUT_MS = 60 * 60_000;

/**
 * The folder with the programs, built first where it is not there yet.
 * @throws DevError `GoMissing`, `GoTooOld` or `BuildFailed`
 */
export async function builtBinaries(env: NodeJS.ProcessEnv): Promise<string> {
  const wanted = versions();
  const cache = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'latchkey');
  const folder = join(cache, `control-plane-${wanted.kubernetes}-${process.platform}-${process.arch}`);
  if (existsSync(folder)) return folder;

  const unlock = await waitUntil('the other process that builds it', BUILD_TIMEOUT_MS, () =>
    tryLock(`${folder}.lock`),
  );
  try {
    if (!existsSync(folder)) await build(folder, wanted, env);
  } finally {
    unlock();
  }
  return folder;
}

async function build(folder: string, wanted: Versions, env: NodeJS.ProcessEnv): Promise<void> {
  await requireGo(wanted.go, env);
  // A folder under its final name is a whole one: an interrupted build leaves only this.
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  console.error(
    `Building the Kubernetes ${wanted.kubernetes} control plane from its Go modules. The first build of a ` +
      `version takes about ten minutes and 5 GB of disk; the programs are kept in ${folder}.`,
  );
  await compileTools(unfinished, linkerFlags(wanted), env);
  renameSync(join(unfinished, 'server'), join(unfinished, 'etcd'));
  renameSync(unfinished, folder);
}

// Without the stamp the programs say v0.0.0-master, which kubectl and Helm do not take for a version.
function linkerFlags({ kubernetes, major, minor }: Versions): string {
  const stamp = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((name) => [
    `-X ${name}.gitVersion=${kubernetes}`,
    `-X ${name}.gitMajor=${major}`,
    `-X ${name}.gitMinor=${minor}`,
  ]);
  return ['-s', '-w', ...stamp].join(' ');
}
