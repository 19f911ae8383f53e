// Keeps the status of the TokenPolicy: draws the epochs that end everybody's sessions, and says what is wrong.
import { isDeepStrictEqual } from 'node:util';
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { API_VERSION, POLICIES_CRD, POLICY_FINALIZER, POLICY_NAME } from '../../api/names.ts';
import type { TokenPolicy, TokenPolicySpec } from '../../api/token-policy.ts';
import type { Cause, Tell } from '../../domain/happening.ts';
import type { HoldsDecision } from '../../domain/holds.ts';
import type { Hearing } from '../../domain/hearing.ts';
import type { CannotMint } from '../../domain/observed.ts';
import type { LicenseReading } from '../../domain/license.ts';
import { isGoing } from '../../domain/orphans.ts';
import { decidePolicy } from '../../domain/policy.ts';
import { policyFinalizers, policyStands } from '../../domain/policy-stands.ts';
import { hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import type { RawObject } from '../../kubernetes/resource.ts';
import type { Caches } from '../../observation/caches.ts';
import { POLICIES, type CachedPolicy } from '../../observation/views.ts';
import type { Holds } from '../holds/holds.ts';
import { WorkQueue, type QueueView } from '../queue/queue.ts';
import { NOW } from '../queue/urgency.ts';

export interface PolicyControllerOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly license: () => LicenseReading;
  readonly cannotMint: () => CannotMint | undefined;
  readonly holds: Holds;
  /** Whether the directory answers; undefined where it is not watched. */
  readonly hearing: () => Hearing | undefined;
  readonly initial: TokenPolicySpec;
  readonly tell: Tell;
  /** The time to decide by. */
  readonly now: () => Date;
  readonly log: Logger;
}

export interface PolicyController {
  readonly queue: QueueView;
  /** Works until `signal` aborts. Makes the policy first, where none is there; later an admin may delete it. */
  run(signal: AbortSignal): Promise<void>;
  lookAgain(): void;
}

/** How late the end of a licence may be noticed. */
const BELL_MS = 250;

/** After a decision on holds the next one waits so many times as long as this one took, and no longer than this. */
const REST_TIMES = 4;
const LONGEST_REST_MS = 200;

const ENDED_BY_ADMIN: Cause = {
  reason: 'NewEpoch',
  message: 'An admin has ended every session. Everybody signs in again.',
};

/** 128 random bits. */
export function newEpoch(): string {
  return randomBytes(16).toString('hex');
}

export function policyController(options: PolicyControllerOptions): PolicyController {
  const { client, caches, license, cannotMint, holds, hearing, initial, tell, now: time, log } = options;
  let lookAgainAt: Date | undefined;
  let isWanted = true;
  /** The epoch that this process has told of, or found; of a term before it, another leader has told. */
  let knownEpoch: string | undefined;

  /** `latchkey revoke --all` draws one, too, with the rights of whoever runs it. */
  function tellOthersEpoch(policy: TokenPolicy): void {
    const epoch = policy.status?.epoch;
    if (knownEpoch !== undefined && epoch !== undefined && epoch !== knownEpoch)
      tell({ what: 'EverySessionEnded', policy, cause: ENDED_BY_ADMIN });
    knownEpoch = epoch;
  }

  /** By the monotonic clock. */
  let restUntil = 0;

  /** To decide on holds is to look at every User: whoever asks again at once waits a little, with all others who do. */
  async function decideHolds(policy: TokenPolicy | undefined, now: Date): Promise<HoldsDecision> {
    const began = performance.now();
    const decision = await holds.decide(policy, now);
    const ended = performance.now();
    restUntil = ended + Math.min((ended - began) * REST_TIMES, LONGEST_REST_MS);
    return decision;
  }

  const queue = new WorkQueue({
    concurrency: 1,
    async work() {
      if (isWanted) await createIfMissing();
      isWanted = false;
      const policy = caches.policies.get(POLICY_NAME)?.policy;
      const now = time();
      if (!policy || !policyStands(policy)) {
        // Then only this process remembers what is held.
        holds.settle(undefined, await decideHolds(undefined, now));
        return;
      }
      tellOthersEpoch(policy);
      const held = await decideHolds(policy, now);
      const observed = {
        policy,
        holds: held.holds,
        taken: held.taken,
        seen: caches.policyWitness(),
        license: license(),
        hearing: hearing(),
        cannotMint: cannotMint(),
        freshEpoch: newEpoch(),
      };
      const { status, happenings, ...decision } = decidePolicy(observed, now);
      ({ lookAgainAt } = decision);
      if (!isDeepStrictEqual(status, policy.status)) {
        const answer = await put('/status', { ...policy, status });
        knownEpoch = status.epoch;
        for (const happening of happenings) tell(happening);
        caches.policies.merge(answer);
      }
      holds.settle(policy, held);
      const { uid } = policy.metadata;
      await keepFinalizer(held.permissions.get('PolicyCRDDeleting')?.get(uid)?.given === true);
    },
    onFailure(_, error, pauseMs) {
      log.warn({ err: error, pauseMs }, 'the TokenPolicy could not be taken up; trying again');
    },
  });
  caches.policies.onChange(() => queue.add(POLICY_NAME));
  // Whoever has put the CustomResourceDefinition back would else have to make the policy, too.
  caches.policyDefinition.onChange((before, after) => {
    isWanted ||= after !== undefined && before?.uid !== after.uid;
    queue.add(POLICY_NAME);
  });
  holds.onDemand(() => {
    const restMs = restUntil - performance.now();
    if (restMs > 0) queue.addAt(POLICY_NAME, Date.now() + restMs, NOW);
    else queue.add(POLICY_NAME);
  });

  async function put(subresource: '' | '/status', policy: TokenPolicy): Promise<CachedPolicy> {
    const answer = await client.request<RawObject>({
      method: 'PUT',
      path: `${POLICIES.path}/${POLICY_NAME}${subresource}`,
      body: { ...policy, apiVersion: API_VERSION, kind: 'TokenPolicy' },
    });
    return POLICIES.view(answer);
  }

  async function keepFinalizer(mayGo: boolean): Promise<void> {
    const policy = caches.policies.get(POLICY_NAME)?.policy;
    const finalizers = policy && policyFinalizers(policy, mayGo);
    if (!finalizers) return;
    const answer = await put('', { ...policy, metadata: { ...policy.metadata, finalizers } });
    // Without it the policy may be gone, which its watch tells.
    if (!mayGo) caches.policies.merge(answer);
  }

  async function createIfMissing(): Promise<void> {
    if (caches.policies.get(POLICY_NAME)) return;
    const body = {
      apiVersion: API_VERSION,
      kind: 'TokenPolicy',
      metadata: { name: POLICY_NAME, finalizers: [POLICY_FINALIZER] },
      spec: initial,
    };
    try {
      await client.request({ method: 'POST', path: POLICIES.path, body });
      log.info({ policy: POLICY_NAME }, 'there was no TokenPolicy; made one from the settings');
    } catch (error) {
      // Without a CustomResourceDefinition there can be none, nor (405) while it goes; its return is watched for.
      const isUnknown = hasStatus(error, 404, 405) && isGoing(caches.policyDefinition.get(POLICIES_CRD));
      if (!isUnknown && !hasStatus(error, 409)) throw error;
    }
  }

  return {
    queue,
    lookAgain: () => queue.add(POLICY_NAME),
    async run(signal) {
      knownEpoch = undefined;
      isWanted = true;
      // By the licence's clock, which no appointment of the queue follows.
      const bell = setInterval(() => {
        if (!lookAgainAt || lookAgainAt > license().at) return;
        lookAgainAt = undefined;
        queue.add(POLICY_NAME);
      }, BELL_MS);
      await queue.run(signal, () => queue.add(POLICY_NAME)).finally(() => clearInterval(bell));
    },
  };
}
