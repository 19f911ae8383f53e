// Follows the log of a process that goes on writing it, and reads each byte once: a log grows fast when everything fails.
import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK = 64 * 1024;
const MOST_KEPT = 100;

export interface LogFollower {
  /** The last line so far that one of the texts is in; undefined where there is none. */
  lastOf(...texts: readonly string[]): string | undefined;
  lastLines(count: number): readonly string[];
  close(): void;
}

/** @param watched the texts that `lastOf` may be asked for */
export function followLog(file: string, watched: readonly string[]): LogFollower {
  const descriptor = openSync(file, 'r');
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(CHUNK);
  const latest = new Map<string, { readonly line: string; readonly number: number }>();
  const kept: string[] = [];
  let rest = '';
  let number = 0;

  function readOn(): void {
    for (let size = readSync(descriptor, buffer); size > 0; size = readSync(descriptor, buffer)) {
      const lines = (rest + decoder.decode(buffer.subarray(0, size), { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        number += 1;
        for (const text of watched) if (line.includes(text)) latest.set(text, { line, number });
        if (kept.push(line) > MOST_KEPT) kept.shift();
      }
    }
  }

  return {
    lastOf(...texts) {
      readOn();
      const found = texts.flatMap((text) => latest.get(text) ?? []);
      return found.toSorted((a, b) => a.number - b.number).at(-1)?.line;
    },
    lastLines(count) {
      readOn();
      return kept.slice(-count);
    },
    close: () => closeSync(descriptor),
  };
}
