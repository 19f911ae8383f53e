// Runs the kubectl that belongs to the control plane.
import { execFile } from 'node:child_process';

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface KubectlCall {
  /** The program. */
  kubectl: string;
  kubeconfig: string;
  args: readonly string[];
  /** Goes to its standard input, for `apply -f -`. */
  input?: string;
}

/**
 * Returns what it prints.
 * @throws Error with what it printed on stderr, where it refuses or takes longer than 60 s
 */
export function runKubectl({ kubectl, kubeconfig, args, input = '' }: KubectlCall): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      kubectl,
      ['--kubeconfig', kubeconfig, ...args],
      { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
    child.stdin?.end(input);
  });
}
