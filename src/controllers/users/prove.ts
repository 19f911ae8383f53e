// Says whether what the caches know of a User and of the policy may be minted on.
import { POLICY_NAME } from '../../api/names.ts';
import type { User } from '../../api/user.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import type { RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { POLICIES, USERS } from '../../observation/views.ts';

/** As long as a proof takes. */
const PROOF_MS = 3_000;

/**
 * A refresh waits for a proof, which is one for all and leaves it at one request; nobody should have to wait so long for
 * a first token. Without a proof the two objects that can say no are read live.
 * @returns `changed` where the caches may hold something new by now
 * @throws whatever the API server refused
 */
export type Prove = (user: User, mayWait: boolean) => Promise<'fresh' | 'changed'>;

export function prover(client: KubernetesClient, caches: Caches): Prove {
  const proofs = [caches.userFreshness, caches.policyFreshness];
  return async (user, mayWait) => {
    // Each is asked, so that each begins a proof.
    if (proofs.map((proof) => proof.isProven()).every(Boolean)) return 'fresh';
    if (mayWait) {
      const proven = await Promise.all(proofs.map((proof) => proof.untilProven(PROOF_MS)));
      if (proven.every(Boolean)) return 'changed';
    }
    const before = caches.policies.get(POLICY_NAME)?.resourceVersion;
    const [liveUser, livePolicy] = await Promise.all([
      client.request<RawObject>({ method: 'GET', path: `${USERS.path}/${user.metadata.name}` }),
      client.request<RawObject>({ method: 'GET', path: `${POLICIES.path}/${POLICY_NAME}` }),
    ]);
    caches.users.merge(USERS.view(liveUser));
    caches.policies.merge(POLICIES.view(livePolicy));
    const same =
      liveUser.metadata.resourceVersion === user.metadata.resourceVersion &&
      livePolicy.metadata.resourceVersion === before;
    return same ? 'fresh' : 'changed';
  };
}
