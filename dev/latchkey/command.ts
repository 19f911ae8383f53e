// The program as an admin runs it, in a process of its own.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** @returns what it prints on standard output. @throws with `code` and `stderr` where it fails */
export function latchkeyCommand(kubeconfig: string): (...args: string[]) => Promise<string> {
  return async (...args) =>
    (await run(process.execPath, [MAIN, ...args, `--kubeconfig=${kubeconfig}`])).stdout;
}
