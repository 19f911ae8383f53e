// Builds the Go programs that Latchkey is measured beside, once for each state of their sources.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtPrograms } from '../dev/go/build.ts';
import { goModVersions } from '../dev/go/module.ts';

const FOLDER = join(import.meta.dirname, 'contenders');
const SOURCES = ['go.mod', 'go.sum', 'ceiling/main.go', 'operator/main.go'];

/**
 * The folder with the programs `ceiling` and `operator`, built first where it is not there yet.
 * @throws DevError `GoMissing`, `GoTooOld` or `BuildFailed`
 */
export async function builtContenders(): Promise<string> {
  const { version, go } = goModVersions(FOLDER, 'sigs.k8s.io/controller-runtime');
  const hash = createHash('sha256');
  for (const file of SOURCES) hash.update(readFileSync(join(FOLDER, file)));
  const module = {
    folder: FOLDER,
    what: `the Go programs that the bench compares with (controller-runtime ${version})`,
    cacheName: `bench-${hash.digest('hex').slice(0, 16)}`,
    go,
    linkerFlags: '-s -w',
    instead: 'The bench cannot do without.',
    cost: '3 to 5 minutes',
  };
  return builtPrograms(module, process.env);
}
