// The version of the control plane, as the Go module beside this file names it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DevError } from '../errors.ts';

/** The folder of the go.mod whose `tool` lines are the programs of the control plane. */
export const MODULE_FOLDER = join(import.meta.dirname, 'binaries');

export interface Versions {
  /** Of Kubernetes, for instance `v1.37.2`. */
  readonly kubernetes: string;
  readonly major: string;
  readonly minor: string;
  /** The oldest Go that builds it, for instance `1.26.0`. */
  readonly go: string;
}

export function versions(): Versions {
  const text = readFileSync(join(MODULE_FOLDER, 'go.mod'), 'utf8');
  const go = /^go (\S+)$/m.exec(text)?.[1];
  const [, kubernetes, major, minor] = /^\tk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/m.exec(text) ?? [];
  if (!go || !kubernetes || !major || !minor) {
    throw new DevError(
      'BuildFailed',
      `${MODULE_FOLDER}/go.mod names no version of Go or of k8s.io/kubernetes`,
    );
  }
  return { kubernetes, major, minor, go };
}
