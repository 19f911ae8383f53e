// What is on disk about a control plane that runs in the background: `.cluster/` in the current folder.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemCode } from '../errors.ts';
import { tryLock } from '../lock.ts';

const FOLDER = resolve('.cluster');

export const FILES = {
  folder: FOLDER,
  kubeconfig: resolve(FOLDER, 'kubeconfig'),
  log: resolve(FOLDER, 'log'),
  state: resolve(FOLDER, 'state.json'),
  /** Held by the supervisor as long as it lives: what tells its pid from one that was given to somebody else. */
  lock: resolve(FOLDER, 'lock'),
};

export interface State {
  /** Of the supervisor. */
  readonly pid: number;
  /** There when the control plane is ready. */
  readonly ready?: {
    /** The private folder with its data and logs. */
    readonly folder: string;
    readonly kubectl: string;
    readonly url: string;
    readonly pids: readonly number[];
  };
}

export function writeState(state: State): void {
  const unfinished = `${FILES.state}.new`;
  writeFileSync(unfinished, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(unfinished, FILES.state);
}

export function readState(): State | undefined {
  try {
    const state: State = JSON.parse(readFileSync(FILES.state, 'utf8'));
    return state;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export function supervisorRuns(): boolean {
  if (!existsSync(FILES.lock)) return false;
  const unlock = tryLock(FILES.lock);
  unlock?.();
  return unlock === undefined;
}

/** Removes every file, also those that a supervisor left which was killed. */
export function removeFiles(): void {
  const folder = readState()?.ready?.folder;
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  rmSync(FILES.folder, { recursive: true, force: true });
}
