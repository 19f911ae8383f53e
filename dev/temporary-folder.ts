// A private folder that does not outlive the process that made it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';

export interface TemporaryFolder {
  readonly path: string;
  readonly remove: () => void;
}

/**
 * Makes a folder only its owner can enter. It goes with `remove()`, else when this process exits
 * (not when it is killed: call `process.exit` in handlers of SIGINT and SIGTERM).
 */
export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `${prefix}-`));
  const remove = (): void => {
    isGone();
    // A server that was killed a moment ago may still be writing its last file.
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const isGone = atExit(remove);
  return { path, remove };
}
