// Ends everybody's session with one write, with an admin's credentials.
import { randomBytes } from 'node:crypto';
import { API_VERSION, POLICY_NAME } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { retryConflicts } from '../kubernetes/retry-conflicts.ts';
import { POLICIES } from '../observation/views.ts';

/** @throws {ApiError} 404 where there is no TokenPolicy: then nobody has a session that counts */
export async function endEverySession(client: KubernetesClient): Promise<void> {
  const path = `${POLICIES.path}/${POLICY_NAME}`;
  await retryConflicts(async () => {
    const policy = await client.request<TokenPolicy>({ method: 'GET', path });
    const status = { ...policy.status, epoch: randomBytes(16).toString('hex') };
    const body = { ...policy, apiVersion: API_VERSION, kind: 'TokenPolicy', status };
    await client.request({ method: 'PUT', path: `${path}/status`, body });
  });
}
