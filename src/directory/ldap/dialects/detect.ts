// Asks a server which dialect it speaks.
import type { Socket } from 'node:net';
import { search } from '../search.ts';
import { DETECTION_ATTRIBUTES, detectDialect, dialectOf } from './dialect.ts';
import type { Dialect, DialectName } from './dialect.ts';

/**
 * The dialect that the settings name, else the one that the root of the directory shows to whoever is bound to this
 * connection; `generic` where it shows nothing.
 * @throws {Error} without an answer that can be trusted
 */
export async function dialectAt(
  socket: Socket,
  setting: DialectName | undefined,
  timeoutMs: number,
): Promise<Dialect> {
  if (setting !== undefined) return dialectOf(setting);
  const { entries } = await search(socket, {
    baseDN: '',
    scope: 'base',
    attributes: DETECTION_ATTRIBUTES,
    sizeLimit: 1,
    timeoutMs,
  });
  return entries[0] ? detectDialect(entries[0]) : dialectOf('generic');
}
