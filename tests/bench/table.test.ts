// A table of the bench is Markdown, and the docs show exactly what bench/results.json says.
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { measuredPages } from '../../bench/pages.ts';
import { format, withTables } from '../../bench/table.ts';

const ROOT = join(import.meta.dirname, '../..');
const TABLE = { title: 'Speed', columns: ['', 'p99'], rows: [['one', '12 ms'], ['another one', '']] }; // prettier-ignore
const PAGE = 'Before.\n\n<!-- bench: speed -->\n\nOld.\n\n<!-- bench: end -->\n\nAfter.\n';

test('a table has columns of one width', () => {
  expect(format(TABLE).split('\n').slice(2)).toEqual([
    '|             | p99   |',
    '| ----------- | ----- |',
    '| one         | 12 ms |',
    '| another one |       |',
  ]);
});

test('a page gets the tables of a part in the place of the last ones, and keeps the rest', () => {
  const page = withTables(PAGE, { speed: [TABLE, { ...TABLE, title: 'Again' }], other: [] });
  expect(page).toBe(
    `Before.\n\n<!-- bench: speed -->\n\n${format(TABLE)}\n\n${format({ ...TABLE, title: 'Again' })}\n\n<!-- bench: end -->\n\nAfter.\n`,
  );
  expect(withTables(page, { speed: [TABLE, { ...TABLE, title: 'Again' }] })).toBe(page);
});

test('a part that was not measured is said not to be', () => {
  expect(withTables(PAGE, {})).toContain('Not measured yet: `npm run bench -- speed`');
});

test('the docs show what was measured last', () => {
  const pages = measuredPages();
  expect([...pages.values()].join()).toContain('<!-- bench: revocation -->');
  for (const [page, text] of pages) expect(readFileSync(join(ROOT, page), 'utf8')).toBe(text);
});
