// Starts a server as a child process that cannot outlive this one.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { atExit } from './at-exit.ts';
import { DevError } from './errors.ts';

const PDEATHSIG = ['--pdeathsig', 'KILL', '--'];
const LAST_LINES = 20;
const LINE_CHARACTERS = 1_000;

export interface ServerProcess {
  readonly pid: number;
  /** Settles when the process has ended, with how: `exit code 1` or `SIGKILL`. */
  readonly ended: Promise<string>;
  /** @throws DevError `ProcessDied` with the last lines of its log, where it has ended by itself */
  assertAlive(): void;
  /** What its log ends with. */
  lastLines(): string;
  /** Kills it (SIGKILL) and waits until it is gone; does nothing where it has ended. */
  kill(): Promise<void>;
}

export interface ServerCommand {
  command: string;
  args: readonly string[];
  /** Gets both output streams, appended. */
  logFile: string;
}

/**
 * Starts a server. On Linux the kernel kills it when this process dies in whatever way (prctl PR_SET_PDEATHSIG,
 * set by setpriv of util-linux); elsewhere it is killed when this process exits, but not when it is killed.
 */
export function startServer({ command, args, logFile }: ServerCommand): ServerProcess {
  const name = basename(command);
  const log = openSync(logFile, 'a', 0o600);
  const [file, flags] = diesWithParent() ? ['setpriv', [...PDEATHSIG, command, ...args]] : [command, args];
  const child = spawn(file, flags, { stdio: ['ignore', log, log] });
  closeSync(log);

  let end: string | undefined;
  const kill = (): void => void child.kill('SIGKILL');
  const isGone = atExit(kill);
  const ended = new Promise<string>((resolve) => {
    const finish = (how: string): void => {
      end ??= how;
      isGone();
      resolve(end);
    };
    child.once('error', (error) => finish(error.message));
    child.once('exit', (code, signal) => finish(signal ?? `exit code ${code}`));
  });

  const lastLines = () =>
    readFileSync(logFile, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(-LAST_LINES)
      .map((line) => line.slice(0, LINE_CHARACTERS))
      .join('\n');

  return {
    pid: child.pid ?? 0,
    ended,
    assertAlive() {
      if (end === undefined) return;
      throw new DevError('ProcessDied', `${name} ended (${end}). Its last lines:\n${lastLines()}`);
    },
    lastLines,
    async kill() {
      kill();
      await ended;
    },
  };
}

let setprivWorks: boolean | undefined;

function diesWithParent(): boolean {
  setprivWorks ??= process.platform === 'linux' && spawnSync('setpriv', [...PDEATHSIG, 'true']).status === 0;
  return setprivWorks;
}
