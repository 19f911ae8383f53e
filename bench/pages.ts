// The pages of the documentation that show what was measured last, as bench/results.json has it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withTables, type Table } from './table.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
export const RESULTS = `${ROOT}bench/results.json`;
const PAGES = ['docs/performance.md', 'docs/verifying.md'];

interface Results {
  readonly tables: Readonly<Record<string, readonly Table[]>>;
}

/** What each page should be, by its path from the root. */
export function measuredPages(): ReadonlyMap<string, string> {
  const { tables } = existsSync(RESULTS)
    ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Results)
    : { tables: {} };
  return new Map(PAGES.map((page) => [page, withTables(readFileSync(ROOT + page, 'utf8'), tables)]));
}

export function writeMeasuredPages(): void {
  for (const [page, text] of measuredPages()) writeFileSync(ROOT + page, text);
}
