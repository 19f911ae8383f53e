// From the POST of a password to the token in the Secret, as a watcher sees it, against a real OpenLDAP server.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { directoryFlags } from '../../dev/directories/flags.ts';
import type { Operator } from '../../dev/latchkey/operator.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { API_VERSION } from '../../src/api/names.ts';
import type { User } from '../../src/api/user.ts';
import { USERS } from '../../src/observation/views.ts';
import type { Arena } from '../arena.ts';
import { PASSWORD } from '../openldap.ts';
import type { Part } from '../part.ts';
import { untilQuiet } from '../process-usage.ts';
import { visitorNames } from '../seed.ts';
import { percentile } from '../statistics.ts';

const LABELS = { bench: 'sign-in' };
/** Nobody waits longer for a page, nor should a measurement. */
const LONGEST_MS = 30_000;

export const signIn: Part = {
  name: 'sign-in',
  async run({ arena, scale, say }) {
    const { warmUp, alone, atOnce } = scale.signIns;
    const names = visitorNames(scale);
    const { server } = await arena.directory();
    const operator = await arena.startOperator({
      flags: [
        ...directoryFlags(server),
        // All come from one address here, which no company's users do.
        `--sign-in-attempts-per-address=${names.length}`,
      ],
    });
    // What it has to write down of everybody else is no part of a sign-in.
    await arena.untilAllAreActive();
    for (const name of names) await createUser(arena, name);
    await untilPrepared(arena, names);
    await untilQuiet(operator.pid);

    const visit = visitor(arena, operator);
    await inTurn(names.splice(0, warmUp), 1, visit);
    const one = await inTurn(names.splice(0, alone), 1, visit);
    const many = await inTurn(names, atOnce, visit);
    await operator.stop();
    operator.remove();

    const rows = [
      ['one at a time', one],
      [`${atOnce} at a time`, many],
    ] as const;
    for (const [how, times] of rows)
      say(
        `sign-in: ${how} p50 ${percentile(times, 50).toFixed(0)} ms, p99 ${percentile(times, 99).toFixed(0)} ms`,
      );
    return {
      tables: [
        {
          title: 'Sign-in: from the POST to the token in the Secret, OpenLDAP',
          columns: ['', 'sign-ins', 'p50', 'p99'],
          rows: rows.map(([how, times]) => [
            how,
            String(times.length),
            `${percentile(times, 50).toFixed(0)} ms`,
            `${percentile(times, 99).toFixed(0)} ms`,
          ]),
        },
      ],
      data: { aloneMs: one, atOnce, togetherMs: many },
    };
  },
};

async function createUser({ admin }: Arena, name: string): Promise<void> {
  const body = { apiVersion: API_VERSION, kind: 'User', metadata: { name, labels: LABELS } };
  await admin.request({ method: 'POST', path: USERS.path, body });
}

/** Everybody has a namespace and a Secret without a token, and the operator has said so. */
async function untilPrepared({ admin }: Arena, names: readonly string[]): Promise<void> {
  await waitUntil('the users to be prepared', LONGEST_MS + names.length * 100, async () => {
    const { items } = await admin.request<{ items: User[] }>({
      method: 'GET',
      path: USERS.path,
      query: { labelSelector: 'bench=sign-in' },
    });
    const pending = new Set(
      items.filter(({ status }) => status?.phase === 'Pending').map(({ metadata }) => metadata.name),
    );
    return names.every((name) => pending.has(name));
  });
}

/** @returns signs that user in, and says how many milliseconds it took until a watcher saw the token. */
function visitor({ tokens }: Arena, { portal, caFile }: Operator): (name: string) => Promise<number> {
  const agent = new Agent({ connect: { ca: readFileSync(caFile) } });
  const waiting = new Map<string, () => void>();
  tokens.onToken((namespace) => waiting.get(namespace)?.());
  return async (name) => {
    const { promise: seen, resolve } = Promise.withResolvers<number>();
    waiting.set(name, () => resolve(performance.now()));
    const began = performance.now();
    const { statusCode, body } = await request(`${portal}/sign-in`, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ username: name, password: PASSWORD }).toString(),
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    await body.dump();
    if (statusCode !== 303) throw new Error(`signing ${name} in was answered with ${statusCode}`);
    return (await seen) - began;
  };
}

/** Runs `measure` for every name, so many at once. */
async function inTurn(
  names: readonly string[],
  atOnce: number,
  measure: (name: string) => Promise<number>,
): Promise<number[]> {
  const times: number[] = [];
  const left = [...names];
  const worker = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) times.push(await measure(name));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return times;
}
