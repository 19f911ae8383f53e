// Writes what is made from the types in src: the CRDs and the schema of the chart's values; with --check it only says
// what differs.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
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

const check = process.argv.includes('--check');
for (const [file, text] of files) {
  if (!check) {
    await mkdir(dirname(root + file), { recursive: true });
    await writeFile(root + file, text);
  } else if ((await read(file)) !== text) {
    console.error(`${file} differs from src: run "npm run generate"`);
    process.exitCode = 1;
  }
}
