// How much memory an operator takes: its heap after a forced collection, asked for through bench/heap-door.ts.
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Arena } from './arena.ts';

const DOOR = new URL('heap-door.ts', import.meta.url);

export interface Heap {
  /** Of the operator that is measured. */
  readonly nodeFlags: readonly string[];
  /** heapUsed + external, in bytes. */
  bytes(): Promise<number>;
}

/** @param name of the measurement: each has a door of its own */
export function heapOf({ cluster }: Arena, name: string): Heap {
  const socket = join(cluster.folder, `heap-${name}.sock`);
  return {
    nodeFlags: ['--expose-gc', `--import=${DOOR.href}?socket=${encodeURIComponent(socket)}`],
    async bytes() {
      const connection = connect(socket);
      await once(connection, 'connect');
      const { heapUsed, external } = JSON.parse(await text(connection)) as NodeJS.MemoryUsage;
      return heapUsed + external;
    },
  };
}

export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
