// Builds the programs of a Go module, once for each version, and keeps them in the user's cache folder.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { tryLock } from '../lock.ts';
import { waitUntil } from '../wait-until.ts';
import { compileTools, requireGo } from './go.ts';
import type { GoModule } from './module.ts';

const BUILD_TIMEOUT_MS = 60 * 60_000;

/**
 * The folder with the module's programs, built first where it is not there yet.
 * @throws DevError `GoMissing`, `GoTooOld` or `BuildFailed`
 */
export async function builtPrograms(module: GoModule, env: NodeJS.ProcessEnv): Promise<string> {
  const cache = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'latchkey');
  const folder = join(cache, `${module.cacheName}-${process.platform}-${process.arch}`);
  if (existsSync(folder)) return folder;

  const unlock = await waitUntil('the other process that builds it', BUILD_TIMEOUT_MS, () =>
    tryLock(`${folder}.lock`),
  );
  try {
    if (!existsSync(folder)) await build(module, folder, env);
  } finally {
    unlock();
  }
  return folder;
}

async function build(module: GoModule, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  await requireGo(module, env);
  // A folder under its final name is a whole one: an interrupted build leaves only this.
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  console.error(
    `Building ${module.what} from its Go modules. The first build of a version takes about ${module.cost}; ` +
      `the programs are kept in ${folder}.`,
  );
  await compileTools(module, unfinished, env);
  for (const [name, called] of Object.entries(module.renamed ?? {}))
    renameSync(join(unfinished, name), join(unfinished, called));
  renameSync(unfinished, folder);
}
