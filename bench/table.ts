// A table for a terminal that is Markdown as well, and its place in a page.

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function format({ title, columns, rows }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(3, column.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, index) => (cells[index] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [`**${title}**`, '', line(columns), rule, ...rows.map(line)].join('\n');
}

/** Between these the tables of one part stand. */
const PLACE = /<!-- bench: ([a-z-]+) -->\n[\s\S]*?<!-- bench: end -->/g;

/**
 * The page with what was measured last in every place that names a part.
 * @param tables by the name of the part; one that was not measured is said not to be
 */
export function withTables(page: string, tables: Readonly<Record<string, readonly Table[]>>): string {
  return page.replaceAll(PLACE, (_, part: string) => {
    const measured = tables[part]?.map(format) ?? [
      `Not measured yet: \`npm run bench -- ${part}\` writes its tables here.`,
    ];
    return [`<!-- bench: ${part} -->`, ...measured, '<!-- bench: end -->'].join('\n\n');
  });
}
