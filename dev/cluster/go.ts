// Runs the Go that is installed: can it build the control plane at all, and the build with its progress.
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { DevError, systemCode } from '../errors.ts';
import { MODULE_FOLDER } from './version.ts';

const run = promisify(execFile);
const PROGRESS_EVERY_MS = 5_000;
const ERROR_LINES = 20;
const REMEDY =
  'Install Go from https://go.dev/dl, or point KUBEBUILDER_ASSETS at a folder with etcd, kube-apiserver, ' +
  'kube-controller-manager and kubectl.';

/**
 * A Go of 1.21 or later fetches a newer toolchain by itself where GOTOOLCHAIN lets it; so the version is asked for
 * in the module's own folder.
 * @param oldest as in go.mod, for instance `1.26.0`
 * @throws DevError `GoMissing` or `GoTooOld`
 */
export async function requireGo(oldest: string, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await run('go', ['list', '-m'], { cwd: MODULE_FOLDER, env, timeout: 300_000 });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new DevError(
        'GoMissing',
        `Go ${oldest} or later is needed to build the control plane. ${REMEDY}`,
        {
          cause: error,
        },
      );
    }
    const output = isNativeError(error) && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new DevError(
      'GoTooOld',
      `The Go that is installed cannot build the control plane, which needs ${oldest} or later: ${output}. ${REMEDY}`,
      { cause: error },
    );
  }
}

/**
 * Builds every program that go.mod names as a `tool` into the folder, with a line on stderr every 5 s.
 * @throws DevError `BuildFailed` with the end of Go's output
 */
export async function compileTools(
  folder: string,
  linkerFlags: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  // Version control has nothing to say about these programs, and its refusal would end the build.
  const flags = ['-v', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags];
  const go = spawn('go', ['build', ...flags, '-o', `${folder}/`, 'tool'], {
    cwd: MODULE_FOLDER,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const abandon = (): void => void go.kill('SIGKILL');
  process.on('exit', abandon);

  const started = performance.now();
  const lines: string[] = [];
  createInterface({ input: go.stderr }).on('line', (line) => lines.push(line));
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1000);
    console.error(`${seconds} s, ${lines.length} packages compiled: ${lines.at(-1) ?? 'linking'}`);
  }, PROGRESS_EVERY_MS);

  const code = await new Promise<number | null>((resolve, reject) => {
    go.once('error', reject);
    go.once('close', resolve);
  }).finally(() => {
    clearInterval(timer);
    process.off('exit', abandon);
  });
  if (code === 0) return;
  const end = lines.slice(-ERROR_LINES).join('\n');
  throw new DevError('BuildFailed', `go build ended with code ${code}. Its last lines:\n${end}`);
}
