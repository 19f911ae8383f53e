// Sets the clock of an operator's process and of nothing else: a module that shifts its Date by what a file says.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';

export interface ProcessClock {
  /** For Node, so that it runs by this clock. */
  readonly nodeFlags: readonly string[];
  /** Milliseconds; negative for a clock that is behind. Counts within a twentieth of a second. */
  set(aheadMs: number): void;
  remove(): void;
}

/**
 * The monotonic clock stays as it is, as it does when a real clock is stepped (clock_settime(2)). What reads the time
 * without Date, such as the check of certificates, is not moved: those are not what the steps are about.
 */
const MODULE = (file: string) => `
import { readFileSync } from 'node:fs';
const RealDate = Date;
let aheadMs = 0;
setInterval(() => {
  aheadMs = Number(readFileSync(${JSON.stringify(file)}, 'utf8'));
}, 50).unref();
globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + aheadMs);
    else super(...parts);
  }
  static now() {
    return RealDate.now() + aheadMs;
  }
};
`;

export function processClock(): ProcessClock {
  const { path, remove } = temporaryFolder('latchkey-clock');
  const file = join(path, 'ahead');
  const module = join(path, 'clock.mjs');
  const set = (aheadMs: number) => {
    // A file that is half written would be read as zero.
    writeFileSync(`${file}.new`, String(aheadMs));
    renameSync(`${file}.new`, file);
  };
  set(0);
  writeFileSync(module, MODULE(file));
  return { nodeFlags: [`--import=${pathToFileURL(module).href}`], set, remove };
}
