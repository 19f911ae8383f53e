// Starts and stops a control plane that goes on after the command has returned.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DevError } from '../errors.ts';
import { waitUntil } from '../wait-until.ts';
import { findBinaries } from './binaries.ts';
import { FILES, type State, readState, removeFiles, supervisorRuns } from './state.ts';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;

/** Starts it unless it runs already. @throws DevError with the supervisor's output where it fails to start */
export async function up(): Promise<{ started: boolean; ready: NonNullable<State['ready']> }> {
  if (supervisorRuns()) return { started: false, ready: await whenReady(supervisorRuns) };

  // Here and not in the background, so that a build shows its progress and its errors.
  await findBinaries();
  removeFiles();
  mkdirSync(FILES.folder, { mode: 0o700 });
  const log = openSync(FILES.log, 'a');
  const supervisor = spawn(process.execPath, [join(import.meta.dirname, 'supervisor.ts')], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  const ended = once(supervisor, 'exit');
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    supervisor.kill();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return {
      started: true,
      ready: await whenReady(() => supervisor.exitCode === null && supervisor.signalCode === null),
    };
  } catch (error) {
    supervisor.kill();
    await ended;
    removeFiles();
    throw interrupted ? new DevError('Interrupted', 'Interrupted: nothing runs.', { cause: error }) : error;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    supervisor.unref();
  }
}

function whenReady(runs: () => boolean): Promise<NonNullable<State['ready']>> {
  return waitUntil('the control plane to be ready', START_TIMEOUT_MS, () => {
    const ready = readState()?.ready;
    if (ready === undefined && !runs()) {
      throw new DevError(
        'ProcessDied',
        `The control plane did not start:\n${readFileSync(FILES.log, 'utf8')}`,
      );
    }
    return ready;
  });
}

/** Ends its processes and removes its files. @returns whether it ran */
export async function down(): Promise<boolean> {
  const ran = supervisorRuns();
  if (ran) {
    const { pid } = await waitUntil('the supervisor to say its process id', STOP_TIMEOUT_MS, readState);
    process.kill(pid, 'SIGTERM');
    await waitUntil(`process ${pid} to end`, STOP_TIMEOUT_MS, () => !supervisorRuns());
  }
  removeFiles();
  return ran;
}
