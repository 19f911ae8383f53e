// Writes crds/ from the types in src/api; with --check it only says whether they differ.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { customResourceDefinitions } from '../src/api/crd.ts';

const folder = new URL('../crds/', import.meta.url);
const check = process.argv.includes('--check');
await mkdir(folder, { recursive: true });
for (const crd of customResourceDefinitions()) {
  const file = new URL(`${crd.metadata.name}.yaml`, folder);
  const text = stringify(crd, { lineWidth: 110, aliasDuplicateObjects: false });
  if (!check) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`crds/${crd.metadata.name}.yaml differs from src/api: run "npm run generate"`);
    process.exitCode = 1;
  }
}
