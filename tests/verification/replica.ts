// A replica as far as it verifies tokens: its own caches and keys, over a connection that a test can cut off.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { User } from '../../src/api/user.ts';
import { operatorKubeconfig, OPERATOR_NAMESPACE } from '../../dev/latchkey/install.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { keyIds } from '../../src/controllers/signing-keys/key-ids.ts';
import { signingKeys } from '../../src/controllers/signing-keys/signing-keys.ts';
import { tokenVerifier } from '../../src/issuer/verify.ts';
import { kubernetesClient, type ApiRequest } from '../../src/kubernetes/client.ts';
import { watchClock } from '../../src/kubernetes/clock-watch.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { startCaches } from '../../src/observation/caches.ts';
import { verification, type Verdict } from '../../src/verification/verification.ts';
import type { Latchkey } from '../support/latchkey.ts';
import { startFaultProxy } from '../faults/proxy/fault-proxy.ts';

export interface VerifyingReplica {
  /** The watches that are open now tell nothing more, and nobody is told. */
  stallWatches(): void;
  /** Nothing passes between it and the API server any more, in either direction. */
  cutOff(): void;
  mend(): void;
  /** As its cache has it. */
  user(name: string): User | undefined;
  /** What it has asked the API server in single requests, in their order. */
  readonly requests: readonly ApiRequest[];
  /** Every check, as it is counted. */
  readonly counted: readonly string[];
  /** What the histogram was given, in milliseconds. */
  readonly refusedAfter: readonly number[];
  readonly proofs: { readonly isProven: () => boolean };
  verify(token: string): Promise<Verdict>;
  stop(): Promise<void>;
}

/** With the operator's own rights, beside the operator that runs. */
export async function startVerifyingReplica({ cluster, operator }: Latchkey): Promise<VerifyingReplica> {
  const folder = temporaryFolder('latchkey-replica');
  const kubeconfig = join(folder.path, 'kubeconfig');
  await operatorKubeconfig(cluster, kubeconfig);
  const proxy = await startFaultProxy(cluster);
  const connection = await loadConnection(kubeconfig);
  const tls = { ...connection.tls, ca: readFileSync(proxy.caFile, 'utf8') };
  const direct = kubernetesClient({ ...connection, server: proxy.url, tls });
  const requests: ApiRequest[] = [];
  const client: typeof direct = {
    ...direct,
    request(request) {
      requests.push(request);
      return direct.request(request);
    },
  };
  const counted: string[] = [];
  const refusedAfter: number[] = [];
  const life = new AbortController();
  const options = { log: pino({ level: 'silent' }), signal: life.signal };
  const clock = watchClock(client);
  const keys = signingKeys({
    client,
    namespace: OPERATOR_NAMESPACE,
    rotationIntervalMs: 30 * 24 * 3_600_000,
    clockIsRight: () => clock.skewed() === undefined,
    ...options,
  });
  const caches = startCaches(client, options);
  await Promise.all([keys.start(), caches.synced]);
  const { verify } = verification({
    client,
    surroundings: {
      caches,
      settings: { portal: operator.portal, operatorNamespace: OPERATOR_NAMESPACE },
      license: () => ({ content: { kind: 'NotRequired' }, at: new Date() }),
      cannotMint: () =>
        clock.skewed() ? { reason: 'ClockSkew', message: 'The clocks disagree.' } : undefined,
      publishedKeys: keyIds(keys.keyring),
      written: () => undefined,
      claimed: () => undefined,
      permission: () => undefined,
      directory: () => undefined,
    },
    verifyToken: tokenVerifier(keys.keyring, operator.portal),
    keys,
    count: {
      tokenChecked: (outcome, reason) => void counted.push(`${outcome} ${reason}`.trim()),
      refusedAfter: (ms) => void refusedAfter.push(ms),
    },
    log: options.log,
  });
  return {
    stallWatches() {
      for (const resource of ['users', 'tokenpolicies', 'secrets', 'namespaces', 'rolebindings'])
        if (proxy.stall(resource) === 0) throw new Error(`no watch of ${resource} is open`);
    },
    cutOff: () => proxy.cut(),
    mend: () => proxy.mend(),
    user: (name) => caches.users.get(name)?.user,
    requests,
    counted,
    refusedAfter,
    proofs: {
      isProven: () =>
        [caches.userFreshness, caches.policyFreshness, keys.freshness]
          .map((proof) => proof.isProven())
          .every(Boolean),
    },
    verify,
    async stop() {
      life.abort();
      await caches.done;
      await direct.close();
      await proxy.close();
      folder.remove();
    },
  };
}
