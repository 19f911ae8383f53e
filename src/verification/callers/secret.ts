// The Secret that names the callers: who may ask Latchkey about tokens, and the hash of what each of them shows.
import { LABEL, MANAGED_BY } from '../../api/names.ts';
import { LatchkeyError } from '../../errors.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { ifFound } from '../../kubernetes/if-found.ts';
import type { RawObject } from '../../kubernetes/resource.ts';
import { secretsPath } from '../../kubernetes/kept-secret.ts';
import { retryConflicts } from '../../kubernetes/retry-conflicts.ts';

export const CALLERS_SECRET = 'latchkey-callers';

/** Another type than Opaque says in `kubectl get secrets` what it is. */
const TYPE = 'latchkey.dev/callers';

/** Every request is compared with each of them. */
export const MOST_CALLERS = 256;

/** Also a client_id of RFC 6749: nothing in it needs an escape. */
export const CALLER_NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;

/** `CallerExists`, `CallerUnknown`, `TooManyCallers`: the message says what to do. */
export class CallersError extends LatchkeyError<'CallerExists' | 'CallerUnknown' | 'TooManyCallers'> {}

export interface CallersAccess {
  readonly client: KubernetesClient;
  /** The operator's. */
  readonly namespace: string;
}

interface CallersSecret extends RawObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** @returns the names, sorted; none where there is no Secret */
export async function callerNames(access: CallersAccess): Promise<string[]> {
  const secret = await readCallersSecret(access);
  return Object.keys(secret?.data ?? {}).toSorted();
}

/** @throws {CallersError} `CallerExists`, `TooManyCallers` */
export async function addCaller(access: CallersAccess, name: string, digest: string): Promise<void> {
  await retryConflicts(async () => {
    const secret = await readCallersSecret(access);
    const known = Object.keys(secret?.data ?? {});
    if (known.includes(name))
      throw new CallersError(
        'CallerExists',
        `There is a caller ${name}, and its token cannot be shown again. Take another name, or remove it first.`,
      );
    if (known.length >= MOST_CALLERS)
      throw new CallersError(
        'TooManyCallers',
        `There are ${known.length} callers. Remove those that nobody needs; one token may serve replicas of one service.`,
      );
    await write(access, secret, { ...secret?.data, [name]: Buffer.from(digest).toString('base64') });
  });
}

/** @throws {CallersError} `CallerUnknown` */
export async function removeCaller(access: CallersAccess, name: string): Promise<void> {
  await retryConflicts(async () => {
    const secret = await readCallersSecret(access);
    const data = secret?.data ?? {};
    // Every object has a `toString`.
    if (!secret || !Object.hasOwn(data, name))
      throw new CallersError(
        'CallerUnknown',
        // Somebody may have given the token in place of the name.
        `There is no caller ${CALLER_NAME.test(name) ? name : 'of that name'}. "latchkey callers list" shows them.`,
      );
    const { [name]: _removed, ...others } = data;
    await write(access, secret, others);
  });
}

/** @returns undefined where there is none @throws {ApiError} @throws {ApiUnreachableError} */
export async function readCallersSecret(
  { client, namespace }: CallersAccess,
  timeoutMs?: number,
): Promise<CallersSecret | undefined> {
  const path = `${secretsPath(namespace)}/${CALLERS_SECRET}`;
  return ifFound(
    client.request<CallersSecret>({ method: 'GET', path, ...(timeoutMs !== undefined && { timeoutMs }) }),
  );
}

/** Under the version that was read, so that of two changes at once the second looks again. */
async function write(
  { client, namespace }: CallersAccess,
  secret: CallersSecret | undefined,
  data: Readonly<Record<string, string>>,
): Promise<void> {
  const path = secretsPath(namespace);
  if (secret) {
    await client.request({ method: 'PUT', path: `${path}/${CALLERS_SECRET}`, body: { ...secret, data } });
    return;
  }
  const metadata = { name: CALLERS_SECRET, namespace, labels: { [LABEL.managedBy]: MANAGED_BY } };
  const body = { apiVersion: 'v1', kind: 'Secret', metadata, type: TYPE, data };
  await client.request({ method: 'POST', path, body });
}
