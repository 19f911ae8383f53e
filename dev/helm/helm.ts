// Finds Helm, the one the caller brings, else the one built from its Go module, and runs it.
import { join } from 'node:path';
import { DevError } from '../errors.ts';
import { builtPrograms } from '../go/build.ts';
import { goModVersions, type GoModule } from '../go/module.ts';
import { isExecutable } from '../installed-program.ts';
import { runProgram } from '../run-program.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const FOLDER = join(import.meta.dirname, 'program');
const TIMEOUT_MS = 120_000;

function helmModule(): GoModule {
  const { version, go } = goModVersions(FOLDER, 'helm.sh/helm/v4');
  return {
    folder: FOLDER,
    what: `Helm ${version}`,
    cacheName: `helm-${version}`,
    go,
    linkerFlags: `-s -w -X helm.sh/helm/v4/internal/version.version=${version}`,
    instead: 'Or name a Helm of your own with the variable HELM.',
    cost: 'three minutes',
  };
}

/**
 * The path of Helm. `HELM` names one; without it Helm is built once and kept in the user's cache folder.
 * @throws DevError `BinaryMissing`, `GoMissing`, `GoTooOld` or `BuildFailed`
 */
export async function findHelm(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const own = env['HELM'];
  if (!own) return join(await builtPrograms(helmModule(), env), 'helm');
  if (!isExecutable(own)) throw new DevError('BinaryMissing', `HELM names ${own}, which is no program.`);
  return own;
}

export interface HelmCall {
  readonly args: readonly string[];
  /** Goes to its standard input, for `--values -`. */
  readonly input?: string;
}

/**
 * Runs Helm with folders of its own, so that what is configured on this machine changes nothing.
 * @returns what it prints. @throws Error with what it printed on stderr, where it refuses or takes longer than 2 min
 */
export async function runHelm({ args, input = '' }: HelmCall): Promise<string> {
  const command = await findHelm();
  const home = temporaryFolder('latchkey-helm');
  const folders = Object.fromEntries(
    ['CACHE', 'CONFIG', 'DATA'].map((kind) => [`HELM_${kind}_HOME`, join(home.path, kind.toLowerCase())]),
  );
  try {
    const env = { ...process.env, ...folders };
    return await runProgram({ command, args, input, env, timeoutMs: TIMEOUT_MS });
  } finally {
    home.remove();
  }
}
