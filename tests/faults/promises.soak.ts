// The promises under the faults that the operator will really meet, with a prober that reads every Secret all the time.
import { afterAll, beforeAll, test } from '@jest/globals';
import { type Field, startField } from './harness/field.ts';
import { hold, type Scenario } from './harness/hold.ts';
import { apiServerRestarts, etcdRestarts, everyAnswerIsWrongNowAndThen } from './scenarios/api-server.ts';
import { clockIsSet } from './scenarios/clock.ts';
import { handsAreLaidOn } from './scenarios/hands.ts';
import { leaderIsCutOff, leaderIsFrozen, leaderIsKilled, operatorIsKilled } from './scenarios/operators.ts';
import { watchesLag, watchesStall } from './scenarios/watches.ts';

const SIZE = Number(process.env['LATCHKEY_FAULT_USERS'] ?? 500);
/** For what hangs: what a scenario waits for has limits of its own, which add up to more than they take. */
const SCENARIO_MS = 300_000;
const seed = Number(process.env['LATCHKEY_FAULT_SEED'] ?? Date.now() % 2 ** 32);

let field: Field;
beforeAll(async () => {
  field = await startField(SIZE, seed);
}, SCENARIO_MS);
afterAll(() => field.stop(), SCENARIO_MS);

/** The clock comes when tokens have grown old by themselves: what stands before it lets most of them be. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'any answer may be 409, 410, 429, 500, half a line, or lost': everyAnswerIsWrongNowAndThen,
  'a watch stalls': watchesStall,
  'etcd is killed under the API server and comes back, at once and after longer than a Lease': etcdRestarts,
  'the clock of the operator is set forward, back, and right again': clockIsSet,
  'one watch lags behind the others': watchesLag,
  'the API server is killed and comes back, at once and after longer than a refresh may wait':
    apiServerRestarts,
  'the operator is killed at any moment, again and again': operatorIsKilled,
  'somebody lays hands on Secrets, RoleBindings and namespaces': handsAreLaidOn,
  'the leader of two is killed': leaderIsKilled,
  'the leader of two is frozen and wakes up after another has taken over': leaderIsFrozen,
  'the leader of two is cut off from the API server alone': leaderIsCutOff,
};

test.each(Object.entries(SCENARIOS))(
  'the promises hold while %s',
  (_, scenario) => hold(field, scenario),
  2 * SCENARIO_MS,
);
