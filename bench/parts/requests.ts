// How many requests a refresh takes, and how many an operator makes that has nothing to do.
import { setTimeout as delay } from 'node:timers/promises';
import { beginAudit, type Request } from '../audit.ts';
import { latchkey, passOverAll } from '../contenders.ts';
import type { Part } from '../part.ts';
import { untilQuiet } from '../process-usage.ts';
import { countRewritten, readTokens } from '../tokens.ts';

export const requests: Part = {
  name: 'requests',
  async run({ arena, scale, say }) {
    const audit = await beginAudit(arena.cluster);
    const running = await latchkey(arena).start();
    await untilQuiet(running.pid);

    const before = await readTokens(arena.admin);
    const mark = audit.mark();
    const pass = passOverAll(arena);
    await running.makeAllDue();
    await pass.done;
    await untilQuiet(running.pid);
    const during = audit.requestsSince(mark);
    const after = await readTokens(arena.admin);
    const rewritten = countRewritten(before, after);
    // Whatever names one user's object is the price of that user's refresh; lists, watches and the Lease are everybody's.
    const forUsers = during.filter(isAboutOneUser);
    const perRefresh = forUsers.length / rewritten;
    say(`requests: ${forUsers.length} for ${rewritten} refreshes, ${during.length - forUsers.length} others`);

    const idleMark = audit.mark();
    await delay(scale.idleSeconds * 1_000);
    const idle = audit.requestsSince(idleMark);
    const perMinute = (idle.length * 60) / scale.idleSeconds;
    say(`requests: ${idle.length} in ${scale.idleSeconds} idle seconds`);

    await running.stop();
    await audit.end();
    return {
      tables: [
        {
          title: `Requests to the API server, ${arena.users()} users (its audit log)`,
          columns: ['', 'requests', 'goal'],
          rows: [
            ['per refresh', perRefresh.toFixed(2), '1.00'],
            ['beside them, in the whole pass', String(during.length - forUsers.length), ''],
            ['per idle minute', perMinute.toFixed(0), ''],
          ],
        },
      ],
      data: {
        users: arena.users(),
        rewritten,
        perRefresh,
        perIdleMinute: perMinute,
        duringPass: tally(during),
        idle: tally(idle),
      },
    };
  },
};

function isAboutOneUser({ resource, name }: Request): boolean {
  return name !== '' && ['secrets', 'users', 'namespaces', 'rolebindings'].includes(resource);
}

/** For example `{ "update secrets": 5000 }`. */
function tally(list: readonly Request[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verb, resource } of list) {
    const what = `${verb} ${resource}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}
