// Keeps the status of the TokenPolicy: draws the epochs that end everybody's sessions, and says what is wrong.
import { isDeepStrictEqual } from 'node:util';
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { API_VERSION, POLICY_NAME } from '../../api/names.ts';
import type { TokenPolicySpec } from '../../api/token-policy.ts';
import type { Cause, Tell } from '../../domain/happening.ts';
import type { CannotMint } from '../../domain/observed.ts';
import { decidePolicy } from '../../domain/policy.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import type { RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { POLICIES } from '../../observation/views.ts';
import { WorkQueue, type QueueView } from '../queue.ts';

export interface PolicyControllerOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly cannotMint: () => CannotMint | undefined;
  readonly initial: TokenPolicySpec;
  readonly tell: Tell;
  readonly log: Logger;
}

export interface PolicyController {
  readonly queue: QueueView;
  /** Works until `signal` aborts. Makes the policy first, where none is there; later an admin may delete it. */
  run(signal: AbortSignal): Promise<void>;
  lookAgain(): void;
}

const SWITCHED_OFF: Cause = {
  reason: 'SwitchedOff',
  message: 'An admin has set spec.enabled to false. After it is true again, everybody signs in again.',
};
const UNWATCHED_CHANGE: Cause = {
  reason: 'UnwatchedChange',
  message: 'The TokenPolicy was changed while nobody watched, so everybody signs in again.',
};

/** 128 random bits. */
export function newEpoch(): string {
  return randomBytes(16).toString('hex');
}

export function policyController(options: PolicyControllerOptions): PolicyController {
  const { client, caches, cannotMint, initial, tell, log } = options;
  const queue = new WorkQueue({
    concurrency: 1,
    async work() {
      const policy = caches.policies.get(POLICY_NAME)?.policy;
      if (!policy || policy.metadata.deletionTimestamp !== undefined) return;
      const observed = {
        policy,
        seen: caches.policyWitness(),
        cannotMint: cannotMint(),
        freshEpoch: newEpoch(),
      };
      const status = decidePolicy(observed, new Date());
      if (isDeepStrictEqual(status, policy.status)) return;
      const answer = await client.request<RawObject>({
        method: 'PUT',
        path: `${POLICIES.path}/${POLICY_NAME}/status`,
        body: { ...policy, apiVersion: API_VERSION, kind: 'TokenPolicy', status },
      });
      if (policy.status?.epoch !== undefined && status.epoch !== policy.status.epoch)
        tell({
          what: 'EverySessionEnded',
          policy,
          cause: policy.spec.enabled ? UNWATCHED_CHANGE : SWITCHED_OFF,
        });
      caches.policies.merge(POLICIES.view(answer));
    },
    onFailure(_, error, pauseMs) {
      log.warn({ err: error, pauseMs }, 'the TokenPolicy could not be taken up; trying again');
    },
  });
  caches.policies.onChange(() => queue.add(POLICY_NAME));

  async function createIfMissing(): Promise<void> {
    const body = {
      apiVersion: API_VERSION,
      kind: 'TokenPolicy',
      metadata: { name: POLICY_NAME },
      spec: initial,
    };
    try {
      await client.request({ method: 'POST', path: POLICIES.path, body });
      log.info({ policy: POLICY_NAME }, 'there was no TokenPolicy; made one from the settings');
    } catch (error) {
      if (!hasStatus(error, 409)) throw error;
    }
  }

  return {
    queue,
    lookAgain: () => queue.add(POLICY_NAME),
    async run(signal) {
      await createIfMissing();
      queue.add(POLICY_NAME);
      await queue.run(signal);
    },
  };
}
