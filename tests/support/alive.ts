// Asks the kernel whether a process still runs.
import { readFileSync } from 'node:fs';

/** A process that has ended but that nobody has waited for (state Z in proc(5)) does not run. */
export function isAlive(pid: number): boolean {
  try {
    const [, state] = /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state !== 'Z';
  } catch {
    return false;
  }
}
