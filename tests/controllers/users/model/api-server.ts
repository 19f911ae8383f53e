// An API server in memory, for histories that a real one cannot be made to live through: late watches, lost answers.
import { ANCHOR_SECRET, ANNOTATION, LABEL, TOKEN_ACCOUNT } from '../../../../src/api/names.ts';
import { ApiError, ApiUnreachableError } from '../../../../src/kubernetes/api-error.ts';
import type { ApiRequest, KubernetesClient } from '../../../../src/kubernetes/client.ts';
import type { RawObject } from '../../../../src/kubernetes/resource.ts';
import { decodeSecret } from '../../../kubernetes/decode-secret.ts';

/** Anchors are the Secrets access-token-binding, which the operator watches apart; accounts are ServiceAccounts. */
export type Kind =
  'users' | 'tokenpolicies' | 'namespaces' | 'secrets' | 'anchors' | 'rolebindings' | 'accounts';

/** The operator does not watch its ServiceAccounts. */
export type Watched = Exclude<Kind, 'accounts'>;

type Writable<T> = { -readonly [K in keyof T]: T[K] };
export interface Stored extends RawObject {
  metadata: Writable<RawObject['metadata']>;
  [field: string]: unknown;
}

export interface Change {
  readonly kind: Kind;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Stored;
}

/** What happens to the next write of the operator: `Lost` is carried out, and its answer does not arrive. */
export type Fault = 'Refused' | 'Lost';

interface Route {
  readonly kind: Kind;
  readonly key: string;
  readonly subresource: boolean;
}

/** A token of Kubernetes, with whom its anchor was made for. */
export interface GivenToken {
  readonly sub: string | undefined;
  readonly sid: string | undefined;
  /** In ms since 1970. */
  readonly exp: number;
  /** The UID of the Secret that it hangs on. */
  readonly anchor: string;
  readonly jti: string;
}

/** What one side holds, the other cannot change. */
export function overTheWire<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

const FOREIGN = 'test.example.org/foreign';

export class ModelApiServer {
  readonly objects: Record<Kind, Map<string, Stored>> = {
    users: new Map(),
    tokenpolicies: new Map(),
    namespaces: new Map(),
    secrets: new Map(),
    anchors: new Map(),
    rolebindings: new Map(),
    accounts: new Map(),
  };
  readonly changes: Change[] = [];
  /** What the operator did to objects that it did not make. */
  readonly trespasses: string[] = [];
  /** Told of every Secret that the operator writes, before it counts. */
  onSecretWritten: (secret: Stored) => void = () => undefined;
  /** Told of every token that Kubernetes gives. */
  onTokenGiven: (token: GivenToken) => void = () => undefined;
  /** Told of every namespace that the operator deletes. */
  onNamespaceDeleted: (namespace: Stored) => void = () => undefined;
  writes = 0;
  readonly now: () => Date;
  #faults: Fault[] = [];
  #revision = 100;

  constructor(now: () => Date) {
    this.now = now;
  }

  failNext(fault: Fault): void {
    this.#faults.push(fault);
  }

  healAll(): void {
    this.#faults = [];
  }

  /** What an admin, or anybody but the operator, writes. */
  put(kind: Kind, key: string, change: Partial<Stored>, { foreign = false } = {}): Stored {
    const old = this.objects[kind].get(key);
    const [name = '', namespace] = key.split('/').toReversed();
    this.#revision += 1;
    const metadata = {
      uid: `uid-${this.#revision}`,
      creationTimestamp: this.now().toISOString(),
      generation: 1,
      ...old?.metadata,
      ...change.metadata,
      name,
      ...(namespace !== undefined && { namespace }),
      resourceVersion: String(this.#revision),
    };
    if (foreign) metadata.annotations = { ...metadata.annotations, [FOREIGN]: 'yes' };
    const specChanged =
      old && change['spec'] !== undefined && JSON.stringify(change['spec']) !== JSON.stringify(old['spec']);
    if (specChanged) metadata.generation = (old.metadata.generation ?? 0) + 1;
    const object: Stored = { ...old, ...change, metadata };
    this.#store(kind, key, object, old ? 'MODIFIED' : 'ADDED');
    return object;
  }

  /** A DELETE: finalizers, and what a namespace holds, keep an object for a while. */
  remove(kind: Kind, key: string): void {
    const old = this.objects[kind].get(key);
    if (!old) return;
    if (kind === 'namespaces' || (old.metadata.finalizers?.length ?? 0) > 0) {
      if (old.metadata.deletionTimestamp === undefined)
        this.put(kind, key, { metadata: { ...old.metadata, deletionTimestamp: this.now().toISOString() } });
      return;
    }
    this.#drop(kind, key);
  }

  /** What the namespace controller does: empties namespaces that are being deleted, and lets go of the empty ones. */
  finishNamespaces(): void {
    for (const [name, namespace] of this.objects.namespaces) {
      if (namespace.metadata.deletionTimestamp === undefined) continue;
      const within = (kind: Kind) =>
        [...this.objects[kind].keys()].filter((key) => key.startsWith(`${name}/`));
      for (const kind of ['secrets', 'anchors', 'rolebindings', 'accounts'] as const)
        for (const key of within(kind)) this.remove(kind, key);
      const left = within('secrets').length + within('anchors').length > 0;
      if (!left) this.#drop('namespaces', name);
    }
  }

  isForeign(kind: Kind, key: string): boolean {
    return this.objects[kind].get(key)?.metadata.annotations?.[FOREIGN] !== undefined;
  }

  #store(kind: Kind, key: string, object: Stored, type: Change['type']): void {
    const finished = object.metadata.deletionTimestamp !== undefined && !object.metadata.finalizers?.length;
    if (finished && kind !== 'namespaces') {
      this.objects[kind].set(key, object);
      this.#drop(kind, key);
      return;
    }
    this.objects[kind].set(key, object);
    this.changes.push({ kind, type, object: overTheWire(object) });
  }

  #drop(kind: Kind, key: string): void {
    const old = this.objects[kind].get(key);
    if (!old) return;
    this.objects[kind].delete(key);
    this.#revision += 1;
    const metadata = { ...old.metadata, resourceVersion: String(this.#revision) };
    this.changes.push({ kind, type: 'DELETED', object: { ...overTheWire(old), metadata } });
  }

  /** The API as the operator sees it. */
  client(): KubernetesClient {
    const request = async <T>(call: ApiRequest): Promise<T> => {
      if (call.method === 'GET') return overTheWire(this.#get(call)) as T;
      this.writes += 1;
      const fault = this.#faults.shift();
      if (fault === 'Refused') throw this.#refusal(call, 500, 'InternalError');
      const answer = overTheWire(call.path.endsWith('/token') ? this.#give(call) : this.#write(call));
      if (fault === 'Lost') throw new ApiUnreachableError('ApiUnreachable', 'the answer was lost');
      return answer as T;
    };
    return {
      request,
      stream: async () => {
        throw new Error('the model delivers changes itself');
      },
      onSkew: () => undefined,
      close: async () => undefined,
    };
  }

  /** A TokenRequest, as registry/core/serviceaccount/storage/token.go answers it. */
  #give(call: ApiRequest): object {
    const [, namespace = ''] = /\/namespaces\/([^/]+)\//.exec(call.path) ?? [];
    const { spec } = call.body as { spec: { expirationSeconds: number; boundObjectRef: { uid: string } } };
    const anchor = this.objects.anchors.get(`${namespace}/${ANCHOR_SECRET}`);
    if (!this.objects.accounts.has(`${namespace}/${TOKEN_ACCOUNT}`) || !anchor)
      throw this.#refusal(call, 404, 'NotFound');
    if (anchor.metadata.uid !== spec.boundObjectRef.uid) throw this.#refusal(call, 409, 'Conflict');
    this.#revision += 1;
    const meant = this.#lastLabelled(anchor);
    const given: GivenToken = {
      sub: meant?.labels?.[LABEL.userUID],
      sid: meant?.annotations?.[ANNOTATION.session],
      exp: Math.floor(this.now().getTime() / 1_000) * 1_000 + spec.expirationSeconds * 1_000,
      anchor: anchor.metadata.uid,
      jti: `jti-${this.#revision}`,
    };
    this.onTokenGiven(given);
    const token = ['{}', JSON.stringify(given), 'x'].map((part) => Buffer.from(part).toString('base64url'));
    return {
      status: { token: token.join('.'), expirationTimestamp: new Date(given.exp).toISOString() },
    };
  }

  /** As it was before somebody took the labels off it, which an operator that was not told of that goes by. */
  #lastLabelled({ metadata: { uid } }: Stored): Stored['metadata'] | undefined {
    return this.changes.findLast(
      ({ kind, object: { metadata } }) =>
        kind === 'anchors' && metadata.uid === uid && metadata.labels?.[LABEL.userUID] !== undefined,
    )?.object.metadata;
  }

  #get(call: ApiRequest): Stored {
    const { kind, key } = this.#route(call);
    const found = this.objects[kind].get(key);
    if (!found) throw this.#refusal(call, 404, 'NotFound');
    return found;
  }

  #write(call: ApiRequest): Stored {
    const { kind, key, subresource } = this.#route(call);
    const old = this.objects[kind].get(key);
    const given = call.body instanceof Uint8Array ? decodeSecret(call.body) : (call.body ?? {});
    const body = given as Partial<Stored> & { preconditions?: { uid: string } };
    const applies = call.contentType === 'application/apply-patch+yaml';
    if (!old && call.method !== 'POST' && !applies) throw this.#refusal(call, 404, 'NotFound');
    if (old && call.method === 'POST') throw this.#refusal(call, 409, 'AlreadyExists');
    const [namespace, isNamespaced] = key.split('/');
    if (isNamespaced !== undefined && !old) {
      const home = this.objects.namespaces.get(namespace ?? '');
      if (!home) throw this.#refusal(call, 404, 'NotFound');
      if (home.metadata.deletionTimestamp !== undefined) throw this.#refusal(call, 403, 'Forbidden');
    }
    const uid = body.preconditions?.uid ?? (call.method === 'POST' ? undefined : body.metadata?.uid);
    if (old && uid !== undefined && uid !== old.metadata.uid) throw this.#refusal(call, 409, 'Conflict');
    const version = body.metadata?.resourceVersion;
    if (old && applies && version !== undefined && version !== old.metadata.resourceVersion)
      throw this.#refusal(call, 409, 'Conflict');
    if (old && call.method === 'PUT' && version !== old.metadata.resourceVersion)
      throw this.#refusal(call, 409, 'Conflict');
    if (this.isForeign(kind, key)) this.trespasses.push(`${call.method} ${call.path}`);

    if (call.method === 'DELETE') {
      if (kind === 'namespaces' && old) this.onNamespaceDeleted(old);
      this.remove(kind, key);
      // As the API server: a Status where nothing keeps it.
      return this.objects[kind].get(key) ?? { ...(old as Stored), kind: 'Status' };
    }
    if (old?.['immutable'] === true && call.method === 'PUT') throw this.#refusal(call, 422, 'Invalid');
    if (subresource) return this.put(kind, key, { status: body['status'] });
    if (call.contentType === 'application/merge-patch+json') {
      const { finalizers: _, ...metadata } = old?.metadata ?? ({} as Stored['metadata']);
      const object = { ...(old as Stored), metadata: { ...metadata } };
      this.objects[kind].set(key, object);
      return this.put(kind, key, {});
    }
    // A PUT replaces; nothing of the old object stays but what the server keeps.
    if (call.method === 'PUT' && old && kind === 'secrets') {
      const { uid: own, creationTimestamp, deletionTimestamp } = old.metadata;
      this.objects[kind].set(key, {
        metadata: {
          name: old.metadata.name,
          uid: own,
          resourceVersion: '0',
          creationTimestamp,
          ...(deletionTimestamp && { deletionTimestamp }),
        },
      });
    }
    if (kind === 'users' && old) {
      const { finalizers } = body.metadata ?? {};
      const { finalizers: _, ...metadata } = old.metadata;
      this.objects[kind].set(key, { ...old, metadata });
      return this.put(kind, key, finalizers ? { metadata: { ...metadata, finalizers } } : {});
    }
    if (kind === 'secrets') this.onSecretWritten(body as Stored);
    const { resourceVersion: _version, uid: _uid, ...metadata } = body.metadata ?? ({} as Stored['metadata']);
    const { metadata: _metadata, ...rest } = body;
    return this.put(kind, key, {
      ...rest,
      metadata: { ...this.objects[kind].get(key)?.metadata, ...metadata } as Stored['metadata'],
    });
  }

  #route({ path, method, body }: ApiRequest): Route {
    const namespaced = /\/namespaces\/([^/]+)\/(secrets|rolebindings|serviceaccounts)\/([^/]+)$/.exec(path);
    if (namespaced) {
      const [, namespace, plural, name] = namespaced;
      const secret = name === ANCHOR_SECRET ? 'anchors' : 'secrets';
      const kind = plural === 'secrets' ? secret : plural === 'rolebindings' ? 'rolebindings' : 'accounts';
      return { kind, key: `${namespace}/${name}`, subresource: false };
    }
    const found = /\/(users|tokenpolicies|namespaces)(?:\/([^/]+))?(\/status)?$/.exec(path);
    if (!found) throw new Error(`the model does not know ${method} ${path}`);
    const name = found[2] ?? (body as Stored).metadata.name;
    return { kind: found[1] as Kind, key: name, subresource: found[3] !== undefined };
  }

  #refusal({ method, path }: ApiRequest, status: number, reason: string): ApiError {
    return new ApiError(`${method} ${path}`, status, { reason });
  }
}
