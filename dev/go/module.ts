// A Go module of this repository whose `tool` lines are programs to build.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DevError } from '../errors.ts';

export interface GoModule {
  /** The folder of its go.mod. */
  readonly folder: string;
  /** What is built, as errors and progress name it: `the Kubernetes v1.37.2 control plane`. */
  readonly what: string;
  /** Names its folder in the cache; with the version, so that another version is built anew. */
  readonly cacheName: string;
  /** The oldest Go that builds it, for instance `1.26.0`. */
  readonly go: string;
  readonly linkerFlags: string;
  /** Programs that Go names after their module, and what they are called. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** A sentence for people without Go: how to bring the programs. */
  readonly instead: string;
  /** What the first build costs: `ten minutes and 5 GB of disk`. */
  readonly cost: string;
}

/**
 * The versions that go.mod names: of a module that it requires, and of Go.
 * @throws DevError `BuildFailed` where it names none
 */
export function goModVersions(folder: string, required: string): { version: string; go: string } {
  const lines = readFileSync(join(folder, 'go.mod'), 'utf8')
    .split('\n')
    .map((line) => line.trim());
  const versionOf = (name: string) =>
    lines
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1)
      .split(' ')[0];
  const [version, go] = [versionOf(required), versionOf('go')];
  if (version === undefined || go === undefined)
    throw new DevError('BuildFailed', `${folder}/go.mod names no version of Go or of ${required}`);
  return { version, go };
}
