// Runs the Go that is installed: can it build a module at all, and the build with its progress.
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { atExit } from '../at-exit.ts';
import { DevError, systemCode } from '../errors.ts';
import type { GoModule } from './module.ts';

const run = promisify(execFile);
const PROGRESS_EVERY_MS = 5_000;
const ERROR_LINES = 20;

/**
 * A Go of 1.21 or later fetches a newer toolchain by itself where GOTOOLCHAIN lets it; so the version is asked for
 * in the module's own folder.
 * @throws DevError `GoMissing` or `GoTooOld`
 */
export async function requireGo(
  { folder, what, go, instead }: GoModule,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const remedy = `Install Go from https://go.dev/dl. ${instead}`;
  try {
    await run('go', ['list', '-m'], { cwd: folder, env, timeout: 300_000 });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new DevError('GoMissing', `Go ${go} or later is needed to build ${what}. ${remedy}`, {
        cause: error,
      });
    }
    const output = isNativeError(error) && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new DevError(
      'GoTooOld',
      `The Go that is installed cannot build ${what}, which needs ${go} or later: ${output}. ${remedy}`,
      { cause: error },
    );
  }
}

/**
 * Builds every program that go.mod names as a `tool` into `target`, with a line on stderr every 5 s.
 * @throws DevError `BuildFailed` with the end of Go's output
 */
export async function compileTools(
  { folder, linkerFlags }: GoModule,
  target: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  // Version control has nothing to say about these programs, and its refusal would end the build.
  const flags = ['-v', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags];
  const go = spawn('go', ['build', ...flags, '-o', `${target}/`, 'tool'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = atExit(() => void go.kill('SIGKILL'));

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
    ended();
  });
  if (code === 0) return;
  const end = lines.slice(-ERROR_LINES).join('\n');
  throw new DevError('BuildFailed', `go build ended with code ${code}. Its last lines:\n${end}`);
}
