// From a change in the directory to the Secret without its key, what it costs the directory, and the switch for everybody.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'ldapts';
import { PEOPLE_DN, SERVICE_DN, userDn } from '../../dev/directories/entries.ts';
import { directoryFlags } from '../../dev/directories/flags.ts';
import type { OpenLdap } from '../../dev/directories/openldap.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { POLICY_NAME } from '../../src/api/names.ts';
import type { TokenPolicy } from '../../src/api/token-policy.ts';
import { POLICIES } from '../../src/observation/views.ts';
import { passLimitMs, type Arena } from '../arena.ts';
import { beginAudit } from '../audit.ts';
import { builtContenders } from '../build-contenders.ts';
import { ceiling, passOverAll } from '../contenders.ts';
import { changesIn, type Directory } from '../openldap.ts';
import type { Part } from '../part.ts';
import { untilQuiet } from '../process-usage.ts';
import { signInAgain, userNames } from '../seed.ts';
import { readOperations, type Operation } from '../slapd-log.ts';
import { percentile } from '../statistics.ts';

const LONGEST_MS = 60_000;
/** As the operator's sweep and most clients page. */
const PAGE = 500;

interface Gone {
  /** From the answer to the change. */
  readonly fromChangeMs: number;
  /** From the start of the first question that could see it. */
  readonly fromPollMs: number;
}

export const directory: Part = {
  name: 'directory',
  async run({ arena, scale, say, nodeFlags }) {
    const users = arena.users();
    const names = userNames(users);
    const directoryOfAll = await arena.directory();
    const { server } = directoryOfAll;
    directoryOfAll.mayDisable(2 * scale.directoryChanges, users);
    const began = Date.now();
    const audit = await beginAudit(arena.cluster);
    try {
      // While everybody has a token that it can write again.
      const top = await writeCeiling(arena);
      const operator = await arena.startOperator({ nodeFlags, flags: directoryFlags(server) });
      await arena.untilAllAreActive();
      await untilQuiet(operator.pid);

      const restFrom = Date.now();
      await delay(scale.idleSeconds * 1_000);
      const atRest = asked(server, restFrom, Date.now());
      const perMinute = (atRest.length * 60_000) / (scale.idleSeconds * 1_000);
      say(`directory: ${atRest.length} operations in ${scale.idleSeconds} s at rest`);

      const gone = goneAt(arena);
      const alone = names.splice(0, scale.directoryChanges);
      for (const name of alone) {
        // At any moment between two questions.
        await delay(Math.random() * 1_000);
        await directoryOfAll.disable([name]);
        await gone.until([name]);
      }
      const together = names.splice(0, scale.directoryChanges);
      const burstFrom = Date.now();
      await directoryOfAll.disable(together);
      await gone.until(together);
      const burstTo = Date.now();
      const burst = asked(server, burstFrom, burstTo);

      const bySelf = latencies(server, alone, gone.times);
      const byCrowd = latencies(server, together, gone.times);
      const sweep = longestSweep(directoryOfAll, began);
      const bareMs = await bareSearch(server, sweep);
      for (const [how, list] of [['alone', bySelf], ['together', byCrowd]] as const)
        say(`directory: ${how} p99 ${percentile(list.map(({ fromPollMs }) => fromPollMs), 99).toFixed(0)} ms`); // prettier-ignore

      const before = arena.tokens.count();
      const switched = await switchOff(arena, audit);
      // The keys go first, and what is to be said of everybody is written down after them.
      await untilQuiet(operator.pid);
      // As it was, for who comes next.
      await arena.patchPolicy({ enabled: true });
      await arena.untilPolicyIsSeen();
      await directoryOfAll.enable([...alone, ...together]);
      await arena.untilAllAreActive();
      await operator.stop();
      operator.remove();
      await signInAgain(arena.admin, users);
      const pace = before / (switched.clearedMs / 1_000);
      say(`directory: ${before} tokens cleared at ${pace.toFixed(0)}/s, ceiling ${top.toFixed(0)}/s`);

      const row = (what: string, list: readonly number[], goal: string) => [
        what,
        String(list.length),
        ms(percentile(list, 50)),
        ms(percentile(list, 99)),
        goal,
      ];
      return {
        tables: [
          {
            title: `Disabled in OpenLDAP → the key is gone, ${users} users signed in`,
            columns: ['', 'changes', 'p50', 'p99', 'goal'],
            rows: [
              row('one at a time, from the first poll that could see it', bySelf.map((one) => one.fromPollMs), 'p99 < 1000 ms'), // prettier-ignore
              row(
                'one at a time, from the change, of which the server tells',
                bySelf.map((one) => one.fromChangeMs),
                '',
              ),
              row('all at once, from the first poll that could see it', byCrowd.map((one) => one.fromPollMs), 'p99 < 1000 ms'), // prettier-ignore
              row(
                'all at once, from the change, of which the server tells',
                byCrowd.map((one) => one.fromChangeMs),
                '',
              ),
            ],
          },
          {
            title: `What it costs the directory, ${users} users (its own log)`,
            columns: ['', 'measured'],
            rows: [
              ['operations per minute at rest', perMinute.toFixed(0)],
              [`operations for ${together.length} changes at once`, String(burst.length)],
              ['a full sweep', ms(sweep.tookMs)],
              ['a bare paged search by ldapts for the same', ms(bareMs)],
            ],
          },
          {
            title: `The policy switch, ${before} tokens`,
            columns: ['', 'measured'],
            rows: [
              ['every session over', `${ms(switched.epochMs)}, by ${switched.policyWrites} write`],
              ['the last key gone', `${(switched.clearedMs / 1_000).toFixed(1)} s`],
              ['keys cleared per second', `${pace.toFixed(0)} (${(pace / top).toFixed(2)} of the ceiling)`],
              ['the ceiling, by client-go', `${top.toFixed(0)}/s`],
            ],
          },
        ],
        data: {
          users,
          alone: bySelf,
          together: byCrowd,
          operationsPerMinuteAtRest: perMinute,
          operationsForChanges: burst.length,
          sweepMs: sweep.tookMs,
          bareSearchMs: bareMs,
          switch: { tokens: before, ...switched, perSecond: pace, ceilingPerSecond: top },
        },
      };
    } finally {
      await audit.end();
    }
  },
};

const ms = (value: number) => `${value.toFixed(0)} ms`;

function goneAt({ tokens }: Arena) {
  const times = new Map<string, number>();
  tokens.onGone((namespace) => {
    if (!times.has(namespace)) times.set(namespace, Date.now());
  });
  return {
    times,
    until: (names: readonly string[]) =>
      waitUntil('the keys to be gone', LONGEST_MS, () => names.every((name) => times.has(name))),
  };
}

/** What the operator asked of the directory in that time. */
function asked({ logFile }: OpenLdap, from: number, to: number): Operation[] {
  const operations = readOperations(logFile);
  const its = operatorConnections(operations);
  return operations.filter(
    ({ connection, beganAt }) => its.has(connection) && beganAt >= from && beganAt < to,
  );
}

/** Those that searched: changes are made by ldapmodify. */
function operatorConnections(operations: readonly Operation[]): ReadonlySet<number> {
  return new Set(operations.filter(({ kind }) => kind === 'SRCH').map(({ connection }) => connection));
}

function latencies(server: OpenLdap, names: readonly string[], times: ReadonlyMap<string, number>): Gone[] {
  const operations = readOperations(server.logFile);
  const polls = operations
    .filter(({ kind }) => kind === 'SRCH')
    .map(({ beganAt }) => beganAt)
    .toSorted((a, b) => a - b);
  const changes = changesIn(operations);
  return names.map((name) => {
    const change = changes.get(userDn(name));
    // The server tells of a change before it answers it.
    const poll = change && polls.find((at) => at >= change.beganAt);
    const goneTime = times.get(name);
    if (!change || poll === undefined || goneTime === undefined)
      throw new Error(`${name}: a time is missing in the log of slapd`);
    // A question that was on its way may have seen it.
    return { fromChangeMs: goneTime - change.endedAt, fromPollMs: Math.max(goneTime - poll, 0) };
  });
}

interface Sweep {
  readonly tookMs: number;
  readonly filter: string;
  readonly attributes: readonly string[];
}

/** Pages of one connection that follow each other with one filter, and find everybody. */
function longestSweep({ server, people }: Directory, since: number): Sweep {
  let found: Sweep | undefined;
  const runs = new Map<string, { from: number; entries: number }>();
  for (const { kind, connection, filter, attributes, beganAt, endedAt, entries } of readOperations(
    server.logFile,
  )) {
    if (kind !== 'SRCH' || beganAt < since || filter.includes('modifyTimestamp')) continue;
    const key = `${connection} ${filter}`;
    const run = runs.get(key) ?? { from: beganAt, entries: 0 };
    run.entries += entries;
    runs.set(key, run);
    if (run.entries < people) continue;
    runs.delete(key);
    const tookMs = endedAt - run.from;
    if (!found || tookMs > found.tookMs) found = { tookMs, filter, attributes };
  }
  if (!found) throw new Error('the operator has not swept the directory');
  return found;
}

/** ldapts alone asks for the same. */
async function bareSearch(
  { ldapsUrl, caFile, bindPassword }: OpenLdap,
  { filter, attributes }: Sweep,
): Promise<number> {
  const client = new Client({
    url: ldapsUrl,
    tlsOptions: { ca: readFileSync(caFile) },
    timeout: LONGEST_MS,
    connectTimeout: LONGEST_MS,
  });
  try {
    await client.bind(SERVICE_DN, bindPassword);
    const began = performance.now();
    await client.search(PEOPLE_DN, {
      scope: 'sub',
      filter,
      attributes: [...attributes],
      paged: { pageSize: PAGE },
    });
    return performance.now() - began;
  } finally {
    await client.unbind();
  }
}

async function switchOff(
  { admin, tokens, users }: Arena,
  audit: Awaited<ReturnType<typeof beginAudit>>,
): Promise<{ epochMs: number; clearedMs: number; policyWrites: number }> {
  const path = `${POLICIES.path}/${POLICY_NAME}`;
  const epoch = async () => (await admin.request<TokenPolicy>({ method: 'GET', path })).status?.epoch;
  const before = await epoch();
  const mark = audit.mark();
  const began = performance.now();
  await admin.request({
    method: 'PATCH',
    path,
    contentType: 'application/merge-patch+json',
    body: { spec: { enabled: false } },
  });
  await waitUntil('a new epoch', LONGEST_MS, async () => (await epoch()) !== before);
  const epochMs = performance.now() - began;
  await waitUntil('the last key to be gone', passLimitMs(users()), () => tokens.count() === 0);
  const clearedMs = performance.now() - began;
  const policyWrites = audit
    .requestsSince(mark)
    .filter(({ verb, resource }) => verb === 'update' && resource === 'tokenpolicies').length;
  return { epochMs, clearedMs, policyWrites };
}

/** PUTs per second of a plain client-go loop over the same Secrets. */
async function writeCeiling(arena: Arena): Promise<number> {
  const contender = await ceiling(arena, await builtContenders()).start();
  const pass = passOverAll(arena);
  const began = performance.now();
  await contender.makeAllDue();
  const { endedAt } = await pass.done;
  await contender.stop();
  return arena.users() / ((endedAt - began) / 1_000);
}
