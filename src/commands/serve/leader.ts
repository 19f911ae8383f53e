// What only the leader does: the loops over Users, the policy, orphans, the signing keys and the certificate.
import type { Logger } from 'pino';
import { POLICY_NAME } from '../../api/names.ts';
import { isLosing } from '../../controllers/holds/affected.ts';
import { holds } from '../../controllers/holds/holds.ts';
import { liveDefinitions } from '../../controllers/holds/live-definitions.ts';
import { secretClearer } from '../../controllers/orphans/clear-secret.ts';
import { heldTokens } from '../../controllers/orphans/held-token.ts';
import { orphansController } from '../../controllers/orphans/controller.ts';
import { policyController } from '../../controllers/policy/controller.ts';
import type { QueueView } from '../../controllers/queue/queue.ts';
import { tending } from '../../controllers/tend.ts';
import { applier } from '../../controllers/users/apply.ts';
import { usersController } from '../../controllers/users/controller.ts';
import { prover } from '../../controllers/users/prove.ts';
import { reconciler } from '../../controllers/users/reconcile.ts';
import { effectiveUsername, foldUsername } from '../../domain/effective.ts';
import { signer } from '../../issuer/signer.ts';
import { allOrNone } from './all-or-none.ts';
import type { Replica } from './replica.ts';
import type { ServeSettings } from './settings.ts';

export interface LeaderOptions {
  readonly isLeading: () => boolean;
  readonly log: Logger;
}

export interface LeaderWork {
  /** What a leader runs for its term. */
  run(term: AbortSignal): Promise<void>;
  /** The queues of its loops, by what they work on. */
  readonly queues: ReadonlyMap<string, QueueView>;
}

/** Made before the first watch, so that its loops miss nothing. */
export function leaderWork(
  known: Replica,
  settings: ServeSettings,
  { isLeading, log }: LeaderOptions,
): LeaderWork {
  const { client, caches, keys, certificate, ledger, permissions, surroundings, license, cannotMint, tell } =
    known;
  const apply = applier({
    client,
    caches,
    ledger,
    signer: signer(keys.keyring, settings.issuerUrl),
    podSecurity: settings.namespacePodSecurity,
    tell,
    log,
  });
  const held = holds({
    caches,
    permissions,
    directory: surroundings.directory,
    liveDefinitions: () => liveDefinitions(client, caches),
    tell,
  });
  const users = usersController({
    caches,
    ledger,
    license: license.reading,
    permissions,
    reconcile: reconciler({
      surroundings,
      prove: prover(client, caches),
      apply,
      tell,
      askPermission: held.ask,
      now: known.now,
    }),
    isLeading,
    log,
  });
  const policy = policyController({
    client,
    caches,
    license: license.reading,
    cannotMint,
    holds: held,
    hearing: () => known.directoryWatch.hearing(),
    initial: {
      enabled: true,
      tokenSource: 'Latchkey',
      accessToken: {
        ttl: settings.tokenTtl,
        minRemaining: settings.tokenMinRemaining,
        audiences: settings.tokenAudiences,
      },
      directory: { onUnreachable: 'Keep', gracePeriod: '1h' },
    },
    tell,
    now: known.now,
    log,
  });
  const { directoryWatch } = known;
  directoryWatch.onFindings((usernames) => {
    const [tokenPolicy, now] = [caches.policies.get(POLICY_NAME)?.policy, known.now()];
    for (const username of usernames)
      for (const { user } of caches.byUsername.get(username))
        users.look(user, isLosing(user, tokenPolicy, directoryWatch.find, now));
    // Whoever is good again leaves a hold.
    held.ask();
  });
  directoryWatch.onHearing(() => policy.lookAgain());
  caches.users.onChange((before, after) => {
    if (after && before?.uid !== after.uid)
      directoryWatch.lookFor(foldUsername(effectiveUsername(after.user)));
  });
  const clearSecret = secretClearer({ client, caches, ledger, tell });
  const orphans = orphansController({
    client,
    caches,
    holds: held,
    permissions,
    ledger,
    clearSecret,
    heldTokens: heldTokens({ caches, ledger, clearSecret }),
    tell,
    graceMs: settings.orphanGracePeriod,
    isLeading,
    now: known.now,
    log,
  });
  const tended = [keys, ...(certificate ? [certificate] : [])].map(tending);
  known.onChange(() => {
    policy.lookAgain();
    users.lookAtAll();
  });
  return {
    async run(term) {
      held.begin();
      await allOrNone(term, [users.run, policy.run, orphans.run, directoryWatch.run, ...tended]);
    },
    queues: new Map([
      ['users', users.queue],
      ['policy', policy.queue],
      ['orphans', orphans.queue],
    ]),
  };
}
