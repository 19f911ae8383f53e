// Runs a program to its end, with something on its standard input.
import { execFile } from 'node:child_process';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface ProgramCall {
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** Goes to its standard input. */
  readonly input?: string;
  /** Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Returns what it prints.
 * @throws Error with what it printed on stderr, where it refuses or takes too long
 */
export function runProgram({ command, args, timeoutMs, input = '', env }: ProgramCall): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES, ...(env && { env }) };
    const child = execFile(command, args, options, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    // A program that ends without reading breaks the pipe; how it went is in its exit code.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
