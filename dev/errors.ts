// What can go wrong with the servers that tests, demo and bench run on, each with the thing to install or do.
import { isNativeError } from 'node:util/types';
import { LatchkeyError } from '../src/errors.ts';

export type DevErrorCode =
  | 'BinaryMissing'
  | 'BuildFailed'
  | 'CertificateFailed'
  | 'DirectoryFailed'
  | 'GoMissing'
  | 'GoTooOld'
  | 'Interrupted'
  | 'KubeconfigMissing'
  | 'PackageMissing'
  | 'ProcessDied'
  | 'TimedOut';

/** The `code` of a system error such as ENOENT, of whatever was thrown. */
export function systemCode(error: unknown): string | undefined {
  // Not instanceof: in a test the errors of Node's own modules come from another realm.
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** An error of the development servers. Its message is for the person at the terminal. */
export class DevError extends LatchkeyError<DevErrorCode> {}
