// Which version of Latchkey this is.
import { readFileSync } from 'node:fs';

/** By the package.json that lies beside the program, as sources and as an image. */
export function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
