// A lock between processes that the kernel lets go of when its holder dies, however it dies.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isNativeError } from 'node:util/types';

// SQLITE_BUSY of https://www.sqlite.org/rescode.html
const BUSY = 5;

/**
 * Takes the lock that the file stands for, or returns undefined where another process holds it.
 * SQLite holds it by a lock of the operating system, which Node does not offer otherwise. The file may stay.
 */
export function tryLock(file: string): (() => void) | undefined {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isNativeError(error) && 'errcode' in error && error.errcode === BUSY) return undefined;
    throw error;
  }
  return () => database.close();
}
