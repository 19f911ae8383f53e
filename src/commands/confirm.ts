// `latchkey confirm`: lets a hold go on, with the credentials of an admin who may say so.
import { ANNOTATION, POLICY_NAME } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import { confirmationOf, confirmedIds } from '../domain/confirmation.ts';
import { CAUSES } from '../domain/holds.ts';
import { LatchkeyError } from '../errors.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { retryConflicts } from '../kubernetes/retry-conflicts.ts';
import { POLICIES } from '../observation/views.ts';

export interface ConfirmCommand {
  readonly client: KubernetesClient;
  readonly out: (line: string) => void;
}

/**
 * `HoldUnknown`: nothing is held under this id, or not any more. `NotAllowed`: the caller lacks a verb. `NoTokenPolicy`:
 * there is no TokenPolicy, and so nowhere to confirm anything.
 */
export class ConfirmError extends LatchkeyError<'HoldUnknown' | 'NotAllowed' | 'NoTokenPolicy'> {}

/** As ids look; whatever else was given may be anything, a token for instance, and is not repeated. */
const ID = /^[a-z0-9]{1,16}$/;

const PATH = `${POLICIES.path}/${POLICY_NAME}`;

/** @throws {ConfirmError} */
export async function confirm({ client, out }: ConfirmCommand, id: string): Promise<void> {
  try {
    await retryConflicts(() => write({ client, out }, id));
  } catch (error) {
    if (hasStatus(error, 403))
      throw new ConfirmError(
        'NotAllowed',
        'You may not confirm a hold. It takes the verbs get, patch and confirm on tokenpolicies.latchkey.dev, name cluster; an administrator of this cluster can give them to you.',
        { cause: error },
      );
    if (hasStatus(error, 404))
      throw new ConfirmError(
        'NoTokenPolicy',
        'There is no TokenPolicy named cluster, and without it nothing can be confirmed. Make one; whatever is held then gets an id there.',
        { cause: error },
      );
    throw error;
  }
}

async function write({ client, out }: ConfirmCommand, id: string): Promise<void> {
  const policy = await client.request<TokenPolicy>({ method: 'GET', path: PATH });
  const hold = policy.status?.holds?.find((each) => each.id === id);
  if (!hold)
    throw new ConfirmError(
      'HoldUnknown',
      `Nothing is held as ${ID.test(id) ? id : 'that'}. ${listOf(policy)}`,
    );
  const { cause, affected, of } = hold;
  if (confirmedIds(policy).has(id)) {
    out(`${id} is confirmed already; ${affected} are left.`);
    return;
  }
  const annotations = { [ANNOTATION.confirm]: confirmationOf(policy, id) };
  await client.request({
    method: 'PATCH',
    path: PATH,
    contentType: 'application/merge-patch+json',
    body: { metadata: { resourceVersion: policy.metadata.resourceVersion, annotations } },
  });
  out(`${id} is confirmed and goes on: ${CAUSES[cause].says(affected, of)}.`);
}

function listOf(policy: TokenPolicy): string {
  const open = (policy.status?.holds ?? []).filter((hold) => !confirmedIds(policy).has(hold.id));
  if (open.length === 0) return 'Nothing waits to be confirmed.';
  return `What waits: ${open.map(({ id, cause, affected, of }) => `${id} (${cause}, ${affected} of ${of})`).join(', ')}.`;
}
