// Operators that are killed, frozen and cut off, alone and in pairs.
import { expect } from '@jest/globals';
import { waitUntil } from '../../../dev/wait-until.ts';
import { samplesIn } from '../../metrics/samples.ts';
import type { Field } from '../harness/field.ts';
import { withMischief } from '../harness/mischief.ts';
import type { Replica } from '../harness/replicas.ts';

const KILLS = 3;
const NOTICE_MS = 60_000;
const TAKE_UP_MS = 120_000;

/** Ends every replica but one, and waits until that one leads. */
async function alone(field: Field): Promise<Replica> {
  const [first, ...others] = field.replicas.all;
  for (const replica of others) {
    await field.outage('NoLeader', async () => {
      await field.replicas.stop(replica);
      await field.replicas.untilLeading();
    });
  }
  return first ?? field.replicas.start();
}

async function pair(field: Field): Promise<{ readonly leader: Replica; readonly other: Replica }> {
  while (field.replicas.all.length < 2) await field.replicas.start();
  const leader = await field.replicas.untilLeading();
  const other = field.replicas.all.find((replica) => replica !== leader);
  if (!other) throw new Error('there is no second replica');
  return { leader, other };
}

/** It writes every Secret once, as it cannot know what was done to them before. */
async function untilTakenUp(field: Field, { operator }: Replica): Promise<void> {
  // By then everybody waits to be looked at.
  await field.carryOn(2_000);
  await waitUntil('the new leader to have taken up everybody', TAKE_UP_MS, async () => {
    const samples = samplesIn(await (await fetch(operator.metricsUrl)).text());
    return samples['latchkey_queue_depth{loop="users"}'] === 0;
  });
  // What it had begun by then ends.
  await field.carryOn(2_000);
}

export async function operatorIsKilled(field: Field): Promise<void> {
  await withMischief(field, async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const replica = await alone(field);
      await field.carryOn(500 + field.random.below(3_000));
      await field.outage('NoLeader', async () => {
        await field.replicas.kill(replica);
        await field.replicas.start();
        await field.replicas.untilLeading();
      });
    }
    await field.carryOn(3_000);
  });
}

export async function leaderIsKilled(field: Field): Promise<void> {
  await withMischief(field, async () => {
    const { leader, other } = await pair(field);
    await field.outage('NoLeader', async () => {
      await field.replicas.kill(leader);
      await field.replicas.untilLeading(other);
    });
    await field.carryOn(2_000);
  });
}

/** What a process that wakes up late had begun may still arrive; the API server has to refuse it. */
export async function leaderIsFrozen(field: Field): Promise<void> {
  await withMischief(field, async () => {
    const { leader, other } = await pair(field);
    const { pid } = leader.operator;
    leader.aside = true;
    await field.outage('NoLeader', async () => {
      process.kill(pid, 'SIGSTOP');
      await field.replicas.untilLeading(other);
    });
    await untilTakenUp(field, other);
    const before = leader.proxy.written.length;
    process.kill(pid, 'SIGCONT');
    await waitUntil('the old leader to notice', NOTICE_MS, () => !leader.leads());
    await field.carryOn(2_000);
    expect(leader.proxy.written.slice(before)).toEqual([]);
    expect(other.leads()).toBe(true);
    leader.aside = false;
  });
}

export async function leaderIsCutOff(field: Field): Promise<void> {
  await withMischief(field, async () => {
    const { leader, other } = await pair(field);
    leader.aside = true;
    await field.outage('NoLeader', async () => {
      leader.proxy.cut();
      await field.replicas.untilLeading(other);
    });
    await waitUntil('the old leader to notice', NOTICE_MS, () => !leader.leads());
    // What it had sent before may lie in the network still; by then the API server has a reason to refuse it.
    await untilTakenUp(field, other);
    const before = leader.proxy.written.length;
    leader.proxy.mend();
    await field.carryOn(3_000);
    expect(leader.proxy.written.slice(before)).toEqual([]);
    expect(other.leads()).toBe(true);
    expect(leader.leads()).toBe(false);
    leader.aside = false;
  });
}
