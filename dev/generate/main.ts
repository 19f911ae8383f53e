// Writes what is made: the CRDs and the schema of the chart's values from the types in src, and the tables of the docs
// from what was measured; with --check it only says what differs.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { measuredPages } from '../../bench/pages.ts';
import { customResourceDefinitions } from '../../src/api/crd.ts';
import { chartCrd } from './chart-crd.ts';
import { valuesSchema } from './values-schema.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const VALUES_SCHEMA = 'charts/latchkey/values.schema.json';
const read = (file: string) => readFile(root + file, 'utf8').catch(() => '');

const files = new Map<string, string>();
for (const crd of customResourceDefinitions()) {
  const text = stringify(crd, { lineWidth: 110, aliasDuplicateObjects: false });
  files.set(`crds/${crd.metadata.name}.yaml`, text);
  files.set(`charts/latchkey/templates/crds/${crd.metadata.name}.yaml`, chartCrd(text));
}
files.set(VALUES_SCHEMA, valuesSchema(await read(VALUES_SCHEMA)));
for (const [page, text] of measuredPages()) files.set(page, text);

const check = process.argv.includes('--check');
for (const [file, text] of files) {
  if (!check) {
    await mkdir(dirname(root + file), { recursive: true });
    await writeFile(root + file, text);
  } else if ((await read(file)) !== text) {
    console.error(`${file} is not up to date: run "npm run generate"`);
    process.exitCode = 1;
  }
}
