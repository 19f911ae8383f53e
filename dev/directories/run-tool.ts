// Runs a tool of a directory server to its end.
import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { DevError } from '../errors.ts';

const TIMEOUT_MS = 3 * 60_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface ToolOptions {
  /** Goes to its standard input. */
  readonly input?: string;
  /** Beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * @returns what it writes to its standard output
 * @throws DevError `DirectoryFailed` with what it says
 */
export function runTool(
  program: string,
  args: readonly string[],
  { input = '', env = {}, timeoutMs = TIMEOUT_MS }: ToolOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new DevError('DirectoryFailed', `${basename(program)} failed: ${stderr.trim() || stdout.trim()}`, {
            cause: error,
          }),
        );
    });
    // A tool that ends before it has read its input says itself why.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
