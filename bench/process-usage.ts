// What a process has used, as the kernel counts it: time on the processors, and memory.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What `/proc/<pid>/stat` counts in. */
const TICK_MS = 1_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Of all its threads, in user and in kernel mode, in milliseconds; see proc_pid_stat(5). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory in bytes: VmRSS of proc_pid_status(5). */
export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) * 1_024;
}

const WINDOW_MS = 500;
const QUIET_MS = 25;

/** Resolves when the process has used no more than 5 % of a processor for half a second. */
export async function untilQuiet(pid: number): Promise<void> {
  for (let before = Number.NEGATIVE_INFINITY; ;) {
    const now = cpuMs(pid);
    if (now - before <= QUIET_MS) return;
    before = now;
    await delay(WINDOW_MS);
  }
}
