// Carries out the steps of a decision, one request each, and puts what the API server answers back into the stores.
import type { Logger } from 'pino';
import {
  ANCHOR_SECRET,
  API_VERSION,
  FIELD_MANAGER,
  FINALIZER,
  READER_ROLE,
  TOKEN_ACCOUNT,
  TOKEN_SECRET,
} from '../../api/names.ts';
import type { User, UserStatus } from '../../api/user.ts';
import type { Step } from '../../domain/step.ts';
import { effectiveNamespace } from '../../domain/effective.ts';
import type { Cause, Tell } from '../../domain/happening.ts';
import {
  anchorManifest,
  bindingManifest,
  namespaceManifest,
  newSecretManifest,
  secretInPlace,
  tokenAccountManifest,
  type PodSecurity,
  type SecretContent,
} from '../../domain/manifests.ts';
import type { TokenPolicy } from '../../api/token-policy.ts';
import { lifetime } from '../../domain/refresh.ts';
import { ApiError, ApiUnreachableError, hasStatus } from '../../kubernetes/api-error.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { deleteForGood, deleteIfThere } from '../../kubernetes/delete.ts';
import { METADATA_ONLY, type RawObject } from '../../kubernetes/resource.ts';
import { encodeSecret, PROTOBUF } from '../../kubernetes/secret-protobuf.ts';
import type { Caches } from '../../observation/caches.ts';
import { ANCHORS, BINDINGS, NAMESPACES, SECRETS, USERS, type CachedSecret } from '../../observation/views.ts';
import { writeUserStatus } from '../../observation/write-status.ts';
import type { Signer } from '../../issuer/signer.ts';
import { requestToken } from './kubernetes-token.ts';
import type { Ledger } from './ledger.ts';

export interface ApplyOptions {
  readonly client: KubernetesClient;
  readonly caches: Caches;
  readonly ledger: Ledger;
  readonly signer: Signer;
  /** Of the namespaces that are made. */
  readonly podSecurity: PodSecurity;
  readonly tell: Tell;
  readonly log: Logger;
}

/** What a step acts on: the picture that the decision was made on, and why a token goes, if one goes. */
export interface Target {
  readonly user: User;
  readonly policy: TokenPolicy | undefined;
  readonly cause: Cause;
}

export interface Apply {
  /** @returns false where the next decision has to wait until a watch has told of the change. */
  step(step: Step, target: Target): Promise<boolean>;
  status(user: User, status: UserStatus): Promise<void>;
}

export function applier({ client, caches, ledger, signer, podSecurity, tell, log }: ApplyOptions): Apply {
  const secretPath = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets/${TOKEN_SECRET}`;
  const anchorPath = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets/${ANCHOR_SECRET}`;
  const bindingPath = (namespace: string) =>
    `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/${READER_ROLE}`;

  /** Server-side apply is the only way to create that RBAC can allow by name. */
  const serverSideApply = (path: string, body: unknown) =>
    client.request<RawObject>({
      method: 'PATCH',
      path,
      query: { fieldManager: FIELD_MANAGER, force: true },
      contentType: 'application/apply-patch+yaml',
      body,
    });

  async function putUser(user: User, changes: Partial<User['metadata']>): Promise<void> {
    const body = {
      ...user,
      apiVersion: API_VERSION,
      kind: 'User',
      metadata: { ...user.metadata, ...changes },
    };
    const answer = await client.request<RawObject>({
      method: 'PUT',
      path: `${USERS.path}/${user.metadata.name}`,
      body,
    });
    if (changes.finalizers?.includes(FINALIZER)) caches.users.merge(USERS.view(answer));
  }

  function cachedSecret(user: User): CachedSecret | undefined {
    return caches.secrets.get(effectiveNamespace(user));
  }

  /** @param held what the ledger said before the token went: the watch may have told of it meanwhile */
  function tellRevoked(held: ReturnType<Ledger['held']>, { user, cause }: Target): void {
    if (held) tell({ what: 'TokenRevoked', user, jti: held.jti, cause });
  }

  /** @param jti of the token, where the content is one */
  async function putSecret(target: Target, content: SecretContent, jti?: string): Promise<boolean> {
    const { user } = target;
    const secret = cachedSecret(user);
    if (!secret) return false;
    const { uid, resourceVersion } = secret;
    const held = ledger.held(secret);
    const namespace = effectiveNamespace(user);
    let answer: RawObject;
    try {
      answer = await ledger.whileWriting(uid, () =>
        client.request<RawObject>({
          method: 'PUT',
          path: secretPath(namespace),
          contentType: PROTOBUF,
          accept: METADATA_ONLY,
          body: encodeSecret(secretInPlace(user, content, { uid, resourceVersion })),
        }),
      );
    } catch (error) {
      // Somebody was faster, or it was we, and the answer was lost: a watch may take its time to tell.
      if (hasStatus(error, 409)) await readLive(namespace);
      // Somebody made it immutable, or gave it a type that cannot be changed: it is made anew.
      if (!hasStatus(error, 422)) throw error;
      log.warn({ namespace, err: error }, 'the Secret cannot be written; it is deleted and made anew');
      return deleteSecret(target);
    }
    const view = SECRETS.view(answer);
    if ('token' in content) {
      const { token: _token, ...described } = content;
      ledger.record(view, { token: described }, jti);
    } else {
      tellRevoked(held, target);
      ledger.record(view, { reason: content.reason });
    }
    caches.secrets.merge(view);
    return true;
  }

  async function readLive(namespace: string): Promise<void> {
    const path = secretPath(namespace);
    caches.secrets.merge(
      SECRETS.view(await client.request<RawObject>({ method: 'GET', path, accept: METADATA_ONLY })),
    );
  }

  async function deleteSecret(target: Target): Promise<boolean> {
    const { user } = target;
    const secret = cachedSecret(user);
    if (!secret) return false;
    const path = secretPath(effectiveNamespace(user));
    const { uid } = secret;
    const held = ledger.held(secret);
    await deleteForGood(client, path, secret);
    tellRevoked(held, target);
    // While a watch has still to tell that it is gone, it is not told twice.
    if (cachedSecret(user)?.uid === uid) ledger.record(secret, { reason: target.cause.reason });
    return false;
  }

  /** Signed here, or given by Kubernetes where the token is to hang on something. */
  async function obtain({ claims, anchor }: Step & { do: 'WriteToken' }, user: User, ttlMs: number) {
    if (anchor === undefined) return signer.sign(claims, ttlMs, new Date());
    const given = await requestToken(client, user, { audiences: claims.aud, ttlMs, anchor }, async () => {
      await serverSideApply(
        `/api/v1/namespaces/${effectiveNamespace(user)}/serviceaccounts/${TOKEN_ACCOUNT}`,
        tokenAccountManifest(user),
      );
    });
    return given && { ...given, kid: undefined };
  }

  async function writeToken(step: Step & { do: 'WriteToken' }, target: Target): Promise<boolean> {
    const { user, policy } = target;
    const secret = cachedSecret(user);
    if (!policy || !secret) return false;
    const { session, digest } = step;
    const began = performance.now();
    const given = await obtain(step, user, lifetime(policy).ttlMs);
    if (!given) return false;
    const { token, expiresAt, jti, kid } = given;
    const refresh = ledger.held(secret) !== undefined;
    const done = await putSecret(target, { token, expiresAt, session, claims: digest, kid }, jti).catch(
      (error: unknown) => {
        // The write may have been done and only its answer be lost: then this token is out, under no other line.
        if (mayBeDone(error)) ledger.lost(secret, expiresAt);
        if (error instanceof ApiUnreachableError)
          log.warn(
            { event: 'TokenIssueUncertain', user: user.metadata.name, session, jti, expiresAt },
            'no answer to the write of a token; it is written anew',
          );
        throw error;
      },
    );
    const tookMs = performance.now() - began;
    if (done) tell({ what: 'TokenIssued', user, session, jti, expiresAt, refresh, tookMs });
    return done;
  }

  return {
    async step(step, target) {
      const { user } = target;
      const namespace = effectiveNamespace(user);
      switch (step.do) {
        case 'AddFinalizer':
          await putUser(user, { finalizers: [...(user.metadata.finalizers ?? []), FINALIZER] });
          return true;
        case 'RemoveFinalizer':
          await putUser(user, {
            finalizers: (user.metadata.finalizers ?? []).filter((name) => name !== FINALIZER),
          });
          tell({ what: 'Offboarded', user, namespace });
          return false;
        case 'CreateNamespace':
          caches.namespaces.merge(
            NAMESPACES.view(
              await client.request<RawObject>({
                method: 'POST',
                path: NAMESPACES.path,
                body: namespaceManifest(user, podSecurity),
              }),
            ),
          );
          return true;
        case 'CreateSecret': {
          const { reason, message } = step;
          const view = SECRETS.view(
            await serverSideApply(secretPath(namespace), newSecretManifest(user, { reason, message })),
          );
          // Not recorded as written: where one stood already, apply has left its other keys in place.
          caches.secrets.merge(view);
          return true;
        }
        case 'WriteToken':
          return writeToken(step, target);
        case 'CreateAnchor':
          caches.anchors.merge(
            ANCHORS.view(await serverSideApply(anchorPath(namespace), anchorManifest(user, step))),
          );
          return true;
        case 'DeleteAnchor': {
          const anchor = caches.anchors.get(namespace);
          if (!anchor) return false;
          const gone = await deleteForGood(client, anchorPath(namespace), anchor);
          if (gone) caches.anchors.remove(anchor);
          return gone;
        }
        case 'ClearToken':
          return putSecret(target, { reason: step.reason, message: step.message });
        case 'DeleteSecret':
          return deleteSecret(target);
        case 'WriteBinding':
          caches.bindings.merge(
            BINDINGS.view(await serverSideApply(bindingPath(namespace), bindingManifest(user, step.subject))),
          );
          return true;
        case 'DeleteBinding': {
          const binding = caches.bindings.get(namespace);
          if (binding) await deleteIfThere(client, bindingPath(namespace), binding.uid);
          return false;
        }
        case 'DeleteNamespace': {
          const made = caches.namespaces.get(namespace);
          if (made) await deleteIfThere(client, `${NAMESPACES.path}/${namespace}`, made.uid);
          return false;
        }
        default:
          return step satisfies never;
      }
    },
    status: (user, status) => writeUserStatus(client, caches, user, status),
  };
}

/** A time-out in front of etcd says as little as no answer. */
function mayBeDone(error: unknown): boolean {
  return error instanceof ApiUnreachableError || (error instanceof ApiError && error.status >= 500);
}
