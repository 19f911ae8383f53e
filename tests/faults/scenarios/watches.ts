// Watches that say nothing, or say it late.
import { waitUntil } from '../../../dev/wait-until.ts';
import type { Field } from '../harness/field.ts';
import { withMischief } from '../harness/mischief.ts';

const WATCHED_MS = 60_000;
const STALLED_MS = 12_000;
const LAGGING_MS = 10_000;
/** Less than a cache may be old when a token is minted on it, so that it is proven now and then, and more than an act takes. */
const LAG_MS = 3_000;

export async function watchesStall(field: Field): Promise<void> {
  const proxies = field.replicas.all.map(({ proxy }) => proxy);
  await withMischief(field, async () => {
    for (const resource of ['users', 'secrets']) {
      for (const proxy of proxies)
        // Between two watches, as after one that has failed, there is none to stall.
        await waitUntil(`a watch of ${resource} to stall`, WATCHED_MS, () => proxy.stall(resource) > 0);
      await field.carryOn(STALLED_MS);
      for (const proxy of proxies) proxy.flow();
    }
  });
}

export async function watchesLag(field: Field): Promise<void> {
  const proxies = field.replicas.all.map(({ proxy }) => proxy);
  await withMischief(field, async () => {
    for (const resource of ['users', 'secrets', 'tokenpolicies']) {
      for (const { lagMs } of proxies) lagMs.set(resource, LAG_MS);
      if (resource === 'tokenpolicies') await field.switchOffAndOn();
      await field.carryOn(LAGGING_MS);
      for (const { lagMs } of proxies) lagMs.clear();
    }
  });
}
