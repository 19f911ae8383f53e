// Reads what slapd logs of each operation: an eye of the directory's own on what is asked of it, and when.
import { readFileSync } from 'node:fs';

export interface Operation {
  readonly kind: 'BIND' | 'SRCH' | 'MOD';
  readonly connection: number;
  /** In ms since 1970. */
  readonly beganAt: number;
  readonly endedAt: number;
  /** Of a search. */
  readonly filter: string;
  readonly attributes: readonly string[];
  readonly entries: number;
  /** Of a change. */
  readonly dn: string;
}

/** Seconds and nanoseconds since 1970 in hexadecimal, a thread, and what it says: slapd(8), -d stats. */
const LINE = /^([\da-f]+)\.([\da-f]{8}) \S+ conn=(\d+) op=(\d+) (.*)$/;

interface Begun {
  kind: Operation['kind'];
  beganAt: number;
  filter: string;
  attributes: string[];
  dn: string;
}

/** The operations that have ended, in the order of their ends. */
export function readOperations(logFile: string): Operation[] {
  const begun = new Map<string, Begun>();
  const operations: Operation[] = [];
  for (const line of readFileSync(logFile, 'utf8').split('\n')) {
    const [, seconds = '', nanoseconds = '', connection = '', number = '', rest = ''] = LINE.exec(line) ?? [];
    if (seconds === '') continue;
    const at = Number.parseInt(seconds, 16) * 1_000 + Number.parseInt(nanoseconds, 16) / 1e6;
    const key = `${connection} ${number}`;
    const [, kind] = /^(BIND|SRCH|MOD) (?:base|dn)=/.exec(rest) ?? [];
    if (kind !== undefined && !begun.has(key)) {
      const [, filter = ''] = /filter="(.*)"$/.exec(rest) ?? [];
      const [, dn = ''] = /^(?:MOD|BIND) dn="([^"]*)"/.exec(rest) ?? [];
      begun.set(key, { kind: kind as Operation['kind'], beganAt: at, filter, dn, attributes: [] });
      continue;
    }
    const open = begun.get(key);
    if (!open) continue;
    const [, attributes] = /^SRCH attr=(.*)$/.exec(rest) ?? [];
    if (attributes !== undefined) open.attributes.push(...attributes.split(' '));
    if (!/^(SEARCH )?RESULT /.test(rest)) continue;
    begun.delete(key);
    const [, entries = '0'] = /nentries=(\d+)/.exec(rest) ?? [];
    operations.push({ ...open, connection: Number(connection), endedAt: at, entries: Number(entries) });
  }
  return operations;
}
