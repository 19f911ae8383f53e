// Watches what the directory has said of each User, as its status has it: to list them again and again costs a processor.
import { waitUntil } from '../dev/wait-until.ts';
import type { User } from '../src/api/user.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { reflect } from '../src/kubernetes/reflector.ts';
import type { Resource } from '../src/kubernetes/resource.ts';
import { Store, type Stored } from '../src/kubernetes/store.ts';
import { createLog } from '../src/log.ts';
import { USERS } from '../src/observation/views.ts';

interface Heard extends Stored {
  readonly isActive: boolean;
}

const HEARD: Resource<Heard> = {
  name: USERS.name,
  path: USERS.path,
  view(object) {
    const { name, uid, resourceVersion } = object.metadata;
    const { status } = object as unknown as User;
    return { name, uid, resourceVersion, isActive: status?.directory?.state === 'Active' };
  },
};

export interface Hearing {
  /** Resolves when the directory has called everybody active, and it is written down. */
  untilAllAreActive(timeoutMs: number): Promise<void>;
}

/** Returns when it has seen what there is. */
export async function watchHearing(client: KubernetesClient, signal: AbortSignal): Promise<Hearing> {
  const store = new Store<Heard>();
  let others = 0;
  store.onChange((before, after) => {
    others += Number(after?.isActive === false) - Number(before?.isActive === false);
  });
  const { synced } = reflect(client, HEARD, store, { log: createLog('error'), signal });
  await synced;
  return {
    async untilAllAreActive(timeoutMs) {
      await waitUntil('the directory to be heard about everybody', timeoutMs, () => others === 0);
    },
  };
}
