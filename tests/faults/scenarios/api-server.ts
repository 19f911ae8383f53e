// The API server goes and comes back, or its etcd, or it answers with everything but what was asked for.
import { waitUntil } from '../../../dev/wait-until.ts';
import type { Field } from '../harness/field.ts';
import { withMischief } from '../harness/mischief.ts';
import type { FaultName, LineFault, ProxiedRequest, RequestFault } from '../proxy/faults.ts';

/** Longer than the margin that a refresh leaves: tokens go below the floor, and everybody's has to be replaced. */
const LONG_OUTAGE_MS = 35_000;

export async function apiServerRestarts(field: Field): Promise<void> {
  await withMischief(field, async () => {
    await field.outage('NoApiServer', () => field.cluster.restartApiServer());
    await field.carryOn(5_000);
    await field.outage('NoApiServer', async () => {
      await field.cluster.stopApiServer();
      await field.carryOn(LONG_OUTAGE_MS);
      await field.cluster.restartApiServer();
    });
    await field.untilDue();
  });
}

/** Longer than a Lease: the leader cannot renew it, while the API server still takes connections. */
const NO_ETCD_MS = 10_000;

/** The API server runs all the while, with caches that nobody fills, and can neither read nor write. */
export async function etcdRestarts(field: Field): Promise<void> {
  await withMischief(field, async () => {
    await field.outage('NoApiServer', () => field.cluster.restartEtcd());
    await field.carryOn(5_000);
    await field.outage('NoApiServer', async () => {
      await field.cluster.stopEtcd();
      await field.carryOn(NO_ETCD_MS);
      await field.cluster.restartEtcd();
    });
    await field.untilDue();
  });
}

const REFUSALS: readonly FaultName[] = ['Refuse 409', 'Refuse 410', 'Refuse 429', 'Refuse 500'];
const OTHERS: readonly FaultName[] = ['LoseAnswer', 'BreakConnection', 'HalfLine', 'Expire'];

/** @throws where one of the faults was never met: then it proved nothing. */
export async function everyAnswerIsWrongNowAndThen(field: Field): Promise<void> {
  const proxies = field.replicas.all.map(({ proxy }) => proxy);
  for (const proxy of proxies) {
    proxy.onRequest = (request) => randomFault(field, request);
    proxy.onLine = () => randomLineFault(field);
  }
  try {
    await withMischief(field, async () => {
      await field.carryOn(20_000);
      await waitUntil('every fault to be met', 60_000, () =>
        [...REFUSALS, ...OTHERS].every((name) => proxies.some(({ met }) => met.has(name))),
      );
    });
  } finally {
    for (const proxy of proxies) {
      proxy.onRequest = () => undefined;
      proxy.onLine = () => undefined;
    }
  }
}

function randomFault(
  { random }: Field,
  { method, isWatch, query }: ProxiedRequest,
): RequestFault | undefined {
  const isWrite = method !== 'GET';
  const chance = random.next();
  if (chance < 0.05) return { do: 'Refuse', status: 500 };
  if (chance < 0.1) return { do: 'Refuse', status: 429, retryAfterSeconds: 1 };
  if (chance < 0.15 && isWrite) return { do: 'Refuse', status: 409 };
  if (chance < 0.2 && isWrite) return { do: 'LoseAnswer' };
  if (chance < 0.2 && (isWatch || query.has('limit'))) return { do: 'Refuse', status: 410 };
  if (chance < 0.202) return { do: 'BreakConnection' };
  return undefined;
}

function randomLineFault({ random }: Field): LineFault | undefined {
  const chance = random.next();
  if (chance < 0.01) return { do: 'HalfLine' };
  return chance < 0.02 ? { do: 'Expire' } : undefined;
}
