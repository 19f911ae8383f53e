// `latchkey revoke`: ends one user's session, or everybody's with a new epoch and new signing keys.
import { randomBytes } from 'node:crypto';
import { API_VERSION, POLICY_NAME } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { POLICIES } from '../observation/views.ts';
import { retryConflicts } from '../kubernetes/retry-conflicts.ts';
import { endSession } from './end-session.ts';
import { withdrawKeys } from './keys.ts';

export interface RevokeCommand {
  readonly client: KubernetesClient;
  readonly out: (line: string) => void;
}

/** The token of one user goes at once; signing in brings a new one. */
export async function revokeUser({ client, out }: RevokeCommand, name: string): Promise<void> {
  const had = await endSession(client, name);
  out(had ? `The session of ${name} has ended.` : `${name} is not signed in.`);
}

/**
 * Everybody's session ends with one write. The signing keys are replaced too, so that verifiers that only know the
 * JWKS refuse the old tokens as soon as they read it again. For a leaked key, and after an etcd restore.
 */
export async function revokeAll(
  { client, out }: RevokeCommand,
  { namespace, now }: { readonly namespace: string; readonly now: Date },
): Promise<void> {
  const path = `${POLICIES.path}/${POLICY_NAME}`;
  await retryConflicts(async () => {
    const policy = await client.request<TokenPolicy>({ method: 'GET', path });
    const status = { ...policy.status, epoch: randomBytes(16).toString('hex') };
    const body = { ...policy, apiVersion: API_VERSION, kind: 'TokenPolicy', status };
    await client.request({ method: 'PUT', path: `${path}/status`, body });
  });
  out('Every session has ended: everybody signs in again.');
  await withdrawKeys({ client, namespace, now, out });
}
