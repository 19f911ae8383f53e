// How much memory a user costs: the heap after a forced collection, with few users and with many.
import { heapOf, megabytes } from '../heap.ts';
import type { Part } from '../part.ts';
import { residentBytes, untilQuiet } from '../process-usage.ts';
import { median } from '../statistics.ts';

const TIMES = 5;

interface Footprint {
  readonly users: number;
  /** heapUsed + external, the median of five, in bytes. */
  readonly heap: number;
  readonly resident: number;
}

/** What the same run has measured with fewer users. */
const footprints: Footprint[] = [];

export const memory: Part = {
  name: 'memory',
  async run({ arena, say }) {
    const door = heapOf(arena, String(arena.users()));
    const operator = await arena.startOperator({ nodeFlags: door.nodeFlags });
    await untilQuiet(operator.pid);
    const heaps: number[] = [];
    for (let time = 0; time < TIMES; time++) heaps.push(await door.bytes());
    const footprint = {
      users: arena.users(),
      heap: median(heaps),
      resident: residentBytes(operator.pid),
    };
    footprints.push(footprint);
    say(`memory: ${arena.users()} users, ${megabytes(footprint.heap)} heap`);
    await operator.stop();
    operator.remove();

    const [fewest, most] = [footprints[0], footprints.at(-1)];
    const slope =
      fewest && most && most.users > fewest.users
        ? (most.heap - fewest.heap) / (most.users - fewest.users)
        : undefined;
    return {
      tables:
        slope === undefined
          ? []
          : [
              {
                title: 'Memory (heapUsed + external after a forced collection, median of 5)',
                columns: ['', 'heap', 'RSS', 'per user', 'goal'],
                rows: [
                  ...footprints.map(({ users, heap, resident }) => [
                    `${users} users`,
                    megabytes(heap),
                    megabytes(resident),
                    '',
                    '',
                  ]),
                  ['slope', '', '', `${(slope / 1e3).toFixed(2)} kB`, '< 3 kB'],
                ],
              },
            ],
      data: { ...footprint, heaps, bytesPerUser: slope },
    };
  },
};
