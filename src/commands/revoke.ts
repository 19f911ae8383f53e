// `latchkey revoke`: ends one user's session, or everybody's with a new epoch and new signing keys.
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { endEverySession } from './end-every-session.ts';
import { endSession } from './end-session.ts';
import { withdrawKeys, type KeysChange } from './keys.ts';

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
  { namespace, now }: Pick<KeysChange, 'namespace' | 'now'>,
): Promise<void> {
  try {
    await endEverySession(client);
    out('Every session has ended: everybody signs in again.');
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    // A key may have leaked all the same.
    out('There is no TokenPolicy, so nobody has a session that counts.');
  }
  await withdrawKeys({ client, namespace, now, out });
}
