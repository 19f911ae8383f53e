// `npm run bench [-- PART…]`: everything on one control plane, printed as tables and written to bench/results.json.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { DevError } from '../dev/errors.ts';
import { kubernetesVersion } from '../dev/cluster/version.ts';
import { openArena } from './arena.ts';
import { RESULTS, writeMeasuredPages } from './pages.ts';
import type { Part } from './part.ts';
import { directory } from './parts/directory.ts';
import { memory } from './parts/memory.ts';
import { refresh } from './parts/refresh.ts';
import { requests } from './parts/requests.ts';
import { restart } from './parts/restart.ts';
import { revocation } from './parts/revocation.ts';
import { signIn } from './parts/sign-in.ts';
import { FULL, SHORT, type Scale } from './scale.ts';
import { format, type Table } from './table.ts';

/** In this order: the users of one step are among those of the next. */
const STEPS: readonly { readonly part: Part; readonly users: (scale: Scale) => number }[] = [
  { part: memory, users: ({ few }) => few },
  { part: refresh, users: ({ many }) => many },
  { part: requests, users: ({ many }) => many },
  { part: memory, users: ({ most }) => most },
  { part: restart, users: ({ most }) => most },
  { part: signIn, users: ({ few }) => few },
  { part: directory, users: ({ most }) => most },
  // The last: it leaves nobody a token.
  { part: revocation, users: ({ most }) => most },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Just enough to see that everything works: the numbers mean nothing. */
    short: { type: 'boolean', default: false },
    /** Where the measurements go; without it a full run writes bench/results.json, and its tables into the docs. */
    output: { type: 'string' },
    /** A folder for what `node --cpu-prof` writes of each operator that is measured. */
    profile: { type: 'string' },
  },
});
const names = [...new Set(STEPS.map(({ part }) => part.name))];
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`There is no part ${unknown}. The parts are: ${names.join(', ')}. Without a name all run.`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const began = performance.now();
const say = (line: string): void =>
  console.error(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${line}`);

try {
  await bench(values.short ? SHORT : FULL);
} catch (error) {
  console.error(error instanceof DevError ? error.message : error);
  // What a part had started may still run; it goes with this process.
  process.exit(1);
}

async function bench(scale: Scale): Promise<void> {
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    memoryGB: Math.round(totalmem() / 2 ** 30),
  };
  const started = new Date().toISOString();
  const load = { before: loadavg() };
  const nodeFlags = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  const arena = await openArena(scale, say);
  const tables: Record<string, Table[]> = {};
  const data: Record<string, object[]> = {};
  try {
    for (const { part, users } of STEPS) {
      if (positionals.length > 0 && !positionals.includes(part.name)) continue;
      await arena.populate(users(scale));
      say(`${part.name}: begins`);
      const partBegan = performance.now();
      const result = await part.run({ arena, scale, say, nodeFlags });
      say(`${part.name}: took ${((performance.now() - partBegan) / 1_000).toFixed(0)} s`);
      (tables[part.name] ??= []).push(...result.tables);
      (data[part.name] ??= []).push(result.data);
    }
  } finally {
    await arena.close();
    // What was measured before a part failed is not lost with it.
    report();
  }

  function report(): void {
    for (const table of Object.values(tables).flat()) console.log(`\n${format(table)}`);
    const results = {
      started,
      seconds: Math.round((performance.now() - began) / 1_000),
      machine,
      load: { ...load, after: loadavg() },
      kubernetes: kubernetesVersion(),
      node: process.version,
      scale,
      tables,
      parts: data,
    };
    const file = values.output ?? (values.short ? undefined : RESULTS);
    if (file !== undefined) writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
    if (file === RESULTS) writeMeasuredPages();
  }
}
