// How fast tokens are replaced when all are due, and at what cost, beside a bare loop of writes and a Go operator.
import { ceiling, controllerRuntime, latchkey, passOverAll, type Contender } from '../contenders.ts';
import { builtContenders } from '../build-contenders.ts';
import { cpuMs, residentBytes, untilQuiet } from '../process-usage.ts';
import { median } from '../statistics.ts';
import type { Part } from '../part.ts';
import type { Arena } from '../arena.ts';

interface Measured {
  /** Between the first write and the last. */
  readonly perSecond: number;
  /** From the moment that all are due to the first write. */
  readonly firstAfterMs: number;
  readonly cpuMsPerRefresh: number;
  readonly residentMB: number;
}

export const refresh: Part = {
  name: 'refresh',
  async run({ arena, scale, say, nodeFlags }) {
    const folder = await builtContenders();
    const first = ceiling(arena, folder);
    const contenders = [first, latchkey(arena, nodeFlags), controllerRuntime(arena, folder)];
    const measured = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
    const take = async (contender: Contender): Promise<void> => {
      const result = await measure(arena, contender);
      say(
        `refresh: ${contender.name} ${result.perSecond.toFixed(0)}/s, ${result.cpuMsPerRefresh.toFixed(2)} ms of CPU each, the first after ${result.firstAfterMs.toFixed(0)} ms`,
      );
      measured.get(contender.name)?.push(result);
    };
    // In turns, because the machine is never the same twice; the ceiling stands before and after every other.
    for (let round = 0; round < scale.rounds; round++) {
      for (const contender of contenders) await take(contender);
    }
    await take(first);

    const middle = (name: string, of: (result: Measured) => number) =>
      median((measured.get(name) ?? []).map(of));
    const top = middle(first.name, ({ perSecond }) => perSecond);
    return {
      tables: [
        {
          title: `Refreshes, ${arena.users()} users all due (median of ${scale.rounds} rounds in turns)`,
          columns: ['', 'refreshes/s', 'of the ceiling', 'CPU per refresh', 'RSS', 'until the first'],
          rows: contenders.map(({ name }) => {
            const perSecond = middle(name, (result) => result.perSecond);
            return [
              name,
              perSecond.toFixed(0),
              (perSecond / top).toFixed(2),
              `${middle(name, ({ cpuMsPerRefresh }) => cpuMsPerRefresh).toFixed(2)} ms`,
              `${middle(name, ({ residentMB }) => residentMB).toFixed(0)} MB`,
              `${(middle(name, ({ firstAfterMs }) => firstAfterMs) / 1_000).toFixed(2)} s`,
            ];
          }),
        },
      ],
      data: { users: arena.users(), rounds: Object.fromEntries(measured) },
    };
  },
};

async function measure(arena: Arena, contender: Contender): Promise<Measured> {
  const running = await contender.start();
  await untilQuiet(running.pid);
  const pass = passOverAll(arena);
  const cpu = cpuMs(running.pid);
  const began = performance.now();
  await running.makeAllDue();
  const { beganAt, endedAt } = await pass.done;
  // What it still has to do with what the watch tells it belongs to the refreshes.
  await untilQuiet(running.pid);
  const result = {
    perSecond: (arena.users() - 1) / ((endedAt - beganAt) / 1_000),
    firstAfterMs: beganAt - began,
    cpuMsPerRefresh: (cpuMs(running.pid) - cpu) / arena.users(),
    residentMB: residentBytes(running.pid) / 1e6,
  };
  await running.stop();
  return result;
}
