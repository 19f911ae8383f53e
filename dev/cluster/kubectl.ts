// Runs the kubectl that belongs to the control plane.
import { runProgram } from '../run-program.ts';

/** More than `kubectl wait` and `kubectl delete` are told to wait: they say what for. */
const TIMEOUT_MS = 120_000;

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
 * @throws Error with what it printed on stderr, where it refuses or takes longer than 2 min
 */
export function runKubectl({ kubectl, kubeconfig, args, input = '' }: KubectlCall): Promise<string> {
  return runProgram({
    command: kubectl,
    args: ['--kubeconfig', kubeconfig, ...args],
    timeoutMs: TIMEOUT_MS,
    input,
  });
}
