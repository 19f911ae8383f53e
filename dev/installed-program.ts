// Finds a program of the system, or says which package brings it.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { DevError } from './errors.ts';

// Where Debian puts servers, which is on the PATH of root alone.
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin'];

/** @throws DevError `PackageMissing` */
export function installedProgram(name: string, debianPackage: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SERVER_FOLDERS];
  const file = folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
  if (file !== undefined) return file;
  throw new DevError(
    'PackageMissing',
    `${name} is missing: install the package ${debianPackage} (Debian: apt-get install ${debianPackage}).`,
  );
}

/** Whether the file is there and may be executed. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
