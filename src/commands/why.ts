// `latchkey why`: finds the User that somebody asks about, and what can be known of it with the caller's own rights.
import { DNS_LABEL, LEADER_LEASE, POLICY_NAME, TOKEN_SECRET } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { User } from '../api/user.ts';
import { effectiveNamespace, effectiveUsername, foldUsername } from '../domain/effective.ts';
import { explain, printable, type Evidence, type ToldEvent } from '../domain/why.ts';
import { LatchkeyError } from '../errors.ts';
import { hasStatus } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { EVENTS_PATH } from '../kubernetes/events.ts';
import { ifFound } from '../kubernetes/if-found.ts';
import { listAll } from '../kubernetes/list.ts';
import { METADATA_ONLY, type RawObject } from '../kubernetes/resource.ts';
import { POLICIES, SECRETS, USERS } from '../observation/views.ts';

export interface WhyCommand {
  readonly client: KubernetesClient;
  readonly out: (line: string) => void;
}

export interface WhyQuestion {
  readonly asked: string;
  /** Of the operator. */
  readonly namespace: string;
  /** The time to go by; asked once the API server has answered. */
  readonly now: () => Date;
}

/**
 * `UserUnknown`: neither a User of that name nor one with that username. `NotAllowed`: the caller may not read Users.
 * `NotInstalled`: the cluster knows no Users.
 */
export class WhyError extends LatchkeyError<'UserUnknown' | 'NotAllowed' | 'NotInstalled'> {}

/** As src/api/user.ts has it. */
const LONGEST_USERNAME = 256;
/** A lease of 15 seconds is renewed every two; whoever has not for this long is gone, whatever the clocks say. */
const SILENT_MS = 60_000;

/**
 * Prints one paragraph for the User `asked`, or for each that has it as its username.
 * @throws {WhyError}
 */
export async function why(
  { client, out }: WhyCommand,
  { asked, namespace, now }: WhyQuestion,
): Promise<void> {
  const users = await find(client, asked);
  const [policy, isLed, ofPolicy] = await Promise.all([
    ifAllowed(get<TokenPolicy>(client, `${POLICIES.path}/${POLICY_NAME}`)),
    ifAllowed(leads(client, namespace, now)),
    ifAllowed(eventsOf(client, 'regarding.kind=TokenPolicy')),
  ]);
  for (const user of users) {
    const [ofUser, tokenExpiresAt] = await Promise.all([
      ifAllowed(eventsOf(client, `regarding.uid=${user.metadata.uid}`)),
      ifAllowed(expiry(client, effectiveNamespace(user))),
    ]);
    const events = ofUser && [...ofUser, ...(ofPolicy ?? [])];
    const evidence: Evidence = { user, policy, tokenExpiresAt, isLed, events };
    out(explain(evidence, now()));
  }
}

async function find(client: KubernetesClient, asked: string): Promise<User[]> {
  // Anything else can only be a username.
  const named = DNS_LABEL.test(asked)
    ? await get<User>(client, `${USERS.path}/${asked}`).catch(refuse)
    : undefined;
  if (named) return [named];
  const all = await listAll(client, USERS).catch((cause: unknown) => {
    if (hasStatus(cause, 403))
      throw new WhyError(
        'UserUnknown',
        `There is no User named ${quoted(asked)}. Whether one has that username cannot be told: you may not list Users.`,
        { cause },
      );
    if (hasStatus(cause, 404))
      throw new WhyError(
        'NotInstalled',
        'This cluster has no Users: Latchkey is not installed in it. Check the context of your kubeconfig.',
        { cause },
      );
    throw cause;
  });
  const wanted = foldUsername(asked);
  const found = all.objects
    .map(({ user }) => user)
    .filter((user) => foldUsername(effectiveUsername(user)) === wanted);
  if (found.length === 0) throw await unknown(client, asked);
  return found;
}

/** Says of a User that is gone what became of it, for as long as Kubernetes knows. */
async function unknown(client: KubernetesClient, asked: string): Promise<WhyError> {
  const events = DNS_LABEL.test(asked)
    ? await ifAllowed(eventsOf(client, `regarding.kind=User,regarding.name=${asked}`))
    : undefined;
  const last = events?.find(({ reason }) => reason === 'Offboarded');
  const became = last ? ` One was there, until ${last.at.toISOString()}: ${printable(last.note)}` : '';
  return new WhyError(
    'UserUnknown',
    `There is no User named ${quoted(asked)}, and none with that username.${became} "kubectl get users.latchkey.dev" lists them.`,
  );
}

function refuse(cause: unknown): never {
  if (!hasStatus(cause, 403)) throw cause;
  throw new WhyError(
    'NotAllowed',
    'You may not read Users. Ask an admin for the verb get on users.latchkey.dev.',
    { cause },
  );
}

/** Somebody may have pasted anything, and it goes to a terminal: a token is longer than any username. */
function quoted(asked: string): string {
  return asked.length > LONGEST_USERNAME ? 'that' : `"${printable(asked).slice(0, 100)}"`;
}

/** @returns undefined where it is not there */
function get<T>(client: KubernetesClient, path: string, accept?: string): Promise<T | undefined> {
  return ifFound(client.request<T>({ method: 'GET', path, ...(accept !== undefined && { accept }) }));
}

/** What is missing is said in the paragraph; most callers may read some of it. */
async function ifAllowed<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (hasStatus(error, 403)) return undefined;
    throw error;
  }
}

/** The annotation alone: the token itself is not asked for. */
async function expiry(client: KubernetesClient, namespace: string): Promise<Date | undefined> {
  const secret = await get<RawObject>(
    client,
    `/api/v1/namespaces/${namespace}/secrets/${TOKEN_SECRET}`,
    METADATA_ONLY,
  );
  const claimed = secret && SECRETS.view(secret).claimedExpiry;
  return claimed === undefined ? undefined : new Date(claimed);
}

interface RawLease {
  readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string };
}

async function leads(
  client: KubernetesClient,
  namespace: string,
  now: () => Date,
): Promise<boolean | undefined> {
  const lease = await get<RawLease>(
    client,
    `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${LEADER_LEASE}`,
  );
  if (!lease) return undefined;
  const { holderIdentity = '', renewTime = '' } = lease.spec ?? {};
  return holderIdentity !== '' && now().getTime() - Date.parse(renewTime) < SILENT_MS;
}

interface RawEvent {
  readonly eventTime?: string;
  readonly reason?: string;
  readonly note?: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** The first few hundred are enough: the API server forgets them after an hour. */
async function eventsOf(client: KubernetesClient, fieldSelector: string): Promise<ToldEvent[]> {
  const { items } = await client.request<{ items: readonly RawEvent[] }>({
    method: 'GET',
    path: EVENTS_PATH,
    query: { fieldSelector, limit: 500 },
  });
  return items.flatMap(({ eventTime, reason = '', note = '', series }) => {
    const at = new Date(series?.lastObservedTime ?? eventTime ?? Number.NaN);
    return Number.isNaN(at.getTime()) ? [] : [{ at, reason, note, count: series?.count ?? 1 }];
  });
}
