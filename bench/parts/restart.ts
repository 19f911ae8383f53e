// After an outage: from the start of the process to the last overdue token replaced, and how close to its end any came.
import { waitUntil } from '../../dev/wait-until.ts';
import { durationMs } from '../../src/duration.ts';
import { LATEST } from '../../src/domain/refresh.ts';
import { passOverAll } from '../contenders.ts';
import type { Part } from '../part.ts';
import { countRewritten, readTokens } from '../tokens.ts';

export const restart: Part = {
  name: 'restart',
  async run({ arena, scale, say }) {
    const { ttl, minRemaining } = scale.restartTokens;
    const first = await arena.startOperator();
    const shortLived = passOverAll(arena);
    await arena.patchPolicy({ accessToken: { ttl, minRemaining } });
    await shortLived.done;
    await first.stop();
    first.remove();

    const [ttlMs, floorMs] = [durationMs(ttl), durationMs(minRemaining)];
    // The youngest token should have been replaced when it was so old.
    const overdueAt = arena.tokens.latestExpiry() - ttlMs + LATEST * (ttlMs - floorMs);
    say(
      `restart: waits ${Math.max((overdueAt - Date.now()) / 1_000, 0).toFixed(0)} s for every token to be overdue`,
    );
    await waitUntil('every token to be overdue', ttlMs, () => Date.now() >= overdueAt);

    const before = await readTokens(arena.admin);
    const pass = passOverAll(arena);
    const began = performance.now();
    const operator = await arena.startOperator();
    const { endedAt } = await pass.done;
    const after = await readTokens(arena.admin);
    const rewritten = countRewritten(before, after);
    const seconds = (endedAt - began) / 1_000;
    const leastLifeSeconds = pass.leastLifeMs() / 1_000;
    say(
      `restart: ${rewritten} tokens in ${seconds.toFixed(1)} s, the least life ${leastLifeSeconds.toFixed(0)} s`,
    );
    await operator.stop();
    operator.remove();
    await arena.patchPolicy({ accessToken: { ttl: '30m', minRemaining: '10m' } });
    return {
      tables: [
        {
          title: `Restart with ${arena.users()} overdue tokens (ttl ${ttl}, minRemaining ${minRemaining})`,
          columns: ['', 'measured', 'goal'],
          rows: [
            ['process start to the last token replaced', `${seconds.toFixed(1)} s`, ''],
            ['least life left on the way', `${leastLifeSeconds.toFixed(0)} s`, `≥ ${floorMs / 1_000} s`],
          ],
        },
      ],
      data: { users: arena.users(), ttl, minRemaining, rewritten, seconds, leastLifeSeconds },
    };
  },
};
