// One cluster of the model with an operator in it: people, admins and accidents act on it, and the promises are checked.
import { expect } from '@jest/globals';
import { pino } from 'pino';
import {
  ANCHOR_SECRET,
  ANNOTATION,
  LABEL,
  POLICY_NAME,
  TOKEN_KEY,
  USERS_CRD,
} from '../../../../src/api/names.ts';
import type { Hold, TokenPolicy } from '../../../../src/api/token-policy.ts';
import type { User } from '../../../../src/api/user.ts';
import { applier } from '../../../../src/controllers/users/apply.ts';
import { holds, type Holds } from '../../../../src/controllers/holds/holds.ts';
import { permissions, type Permissions } from '../../../../src/controllers/holds/permissions.ts';
import { ledger } from '../../../../src/controllers/users/ledger.ts';
import { prover } from '../../../../src/controllers/users/prove.ts';
import { reconciler, type LookAgain, type Reconcile } from '../../../../src/controllers/users/reconcile.ts';
import { confirmedIds } from '../../../../src/domain/confirmation.ts';
import { sessionCounts } from '../../../../src/domain/decide.ts';
import { durationMs } from '../../../../src/duration.ts';
import { effectiveNamespace } from '../../../../src/domain/effective.ts';
import { shutGate } from '../../../../src/domain/gates.ts';
import { WINDOW_MS } from '../../../../src/domain/holds.ts';
import type { LicenseContent } from '../../../../src/domain/license.ts';
import type { CannotMint } from '../../../../src/domain/observed.ts';
import { orphan } from '../../../../src/domain/orphans.ts';
import { decidePolicy } from '../../../../src/domain/policy.ts';
import { lifetime } from '../../../../src/domain/refresh.ts';
import { continueSession, startSession } from '../../../../src/domain/session.ts';
import type { Signer } from '../../../../src/issuer/signer.ts';
import { deleteForGood, deleteIfThere } from '../../../../src/kubernetes/delete.ts';
import type { Store } from '../../../../src/kubernetes/store.ts';
import type { Resource } from '../../../../src/kubernetes/resource.ts';
import { createStores, type Stores } from '../../../../src/observation/caches.ts';
import { observe, type Surroundings } from '../../../../src/observation/observe.ts';
import {
  ANCHORS,
  BINDINGS,
  NAMESPACES,
  POLICIES,
  SECRETS,
  USERS,
} from '../../../../src/observation/views.ts';
import { ModelApiServer, overTheWire, type Change, type Stored, type Watched } from './api-server.ts';
import { cachesOf } from '../caches-of.ts';
import { KID } from '../../../domain/pictures.ts';
import { surroundingsOf } from '../surroundings-of.ts';

export const TTL = { ttl: '30m', minRemaining: '10m', audiences: ['latchkey'] };
const SKEW: CannotMint = { reason: 'ClockSkew', message: 'the clocks differ' };
/** The CustomResourceDefinition of Users, which stands all the time. */
const DEFINITION = {
  name: USERS_CRD,
  uid: 'uid-definition',
  resourceVersion: '1',
  createdAt: '2029-01-01T00:00:00Z',
  deletedAt: undefined,
};
const MAX_SKEW_MS = 5_000;
const START = Date.parse('2030-01-01T00:00:00Z');
/** So many of at most 50 Users are an accident. */
const ACCIDENT = 10;
/** Longer than any honest way to rest. */
const MOST_PASSES = 25;

interface Minted {
  readonly sub: string;
  readonly sid: string;
  readonly exp: number;
  /** Of a token of Kubernetes: what it hangs on. */
  readonly anchor?: string;
}

interface Operator {
  readonly stores: Stores;
  readonly surroundings: Surroundings;
  readonly reconcile: Reconcile;
  readonly holds: Holds;
  readonly permissions: Permissions;
  /** What it has been told of the licence. */
  license: LicenseContent;
  /** Whether its clock has ever agreed with the API server's: else it takes the earlier of the two. */
  hasAgreed: boolean;
  /** How many of the world's changes it has been told of, for each kind. */
  readonly told: Record<Watched, number>;
}

export class World {
  readonly setClock: (now: number) => void;
  /** True time; the operator's clock may differ from it. */
  #now = START;
  #skewMs = 0;
  #epochs = 0;
  readonly api = new ModelApiServer(() => new Date(this.#now));
  readonly #client = this.api.client();
  #operator: Operator | undefined;
  #license: LicenseContent = { kind: 'NotRequired' };
  /** UIDs of Users that have signed in since any gate was last shut for them, watched or not. */
  readonly #entitled = new Set<string>();
  /** Of those, whose User is being deleted: they keep what they have only while that is held. */
  readonly #leaving = new Set<string>();
  /** UIDs of Users that have to sign in since the licence ended: an operator without a clock to believe may not know. */
  readonly #unlicensed = new Set<string>();
  /** UIDs of Users that are gone, or about to be, and why. */
  readonly #gone = new Map<string, 'Deleting' | 'Vanished'>();
  /** Of those, whom an admin's confirmation has met, and when each of the others was let go without one. */
  readonly #confirmed = new Set<string>();
  readonly #letGo = new Map<string, number>();

  constructor(setClock: (now: number) => void) {
    this.setClock = setClock;
    this.api.onNamespaceDeleted = (namespace) => this.#checkCollected(namespace);
    this.api.onSecretWritten = (secret) => this.#checkMint(tokenIn(secret));
    this.api.onTokenGiven = ({ sub = '', sid = '', exp }) => this.#checkMint({ sub, sid, exp });
    this.makePolicy();
    this.startOperator();
  }

  // What people and admins do.

  makePolicy(): void {
    if (!this.api.objects.tokenpolicies.has(POLICY_NAME))
      this.api.put('tokenpolicies', POLICY_NAME, { spec: { enabled: true, accessToken: TTL } });
  }

  deletePolicy(): void {
    this.#forgetEntitled();
    this.api.remove('tokenpolicies', POLICY_NAME);
  }

  changePolicy(spec: object): void {
    const policy = this.api.objects.tokenpolicies.get(POLICY_NAME);
    if (!policy) return;
    if ('enabled' in spec && spec.enabled === false) this.#forgetEntitled();
    this.api.put('tokenpolicies', POLICY_NAME, { spec: { ...(policy['spec'] as object), ...spec } });
  }

  /** A licence for longer than the one before; the first one makes it required. */
  renewLicense(ms: number): void {
    const before = this.#licenseEnd();
    const expiresAt = new Date(Math.ceil((Math.max(this.#now, before ?? 0) + ms) / 1_000) * 1_000);
    const license = { id: 'id', customer: 'x', users: 100, notBefore: new Date(START), expiresAt };
    const writtenAt = new Date(Math.floor(this.#now / 1_000) * 1_000);
    this.#license = { kind: 'Verified', license, writtenAt };
  }

  #licenseEnd(): number | undefined {
    return this.#license.kind === 'Verified' ? this.#license.license.expiresAt.getTime() : undefined;
  }

  /** From when an operator took a licence up for the first time: one that ended before was never asked for. */
  #isLicenseRequired(): boolean {
    const policy = this.api.objects.tokenpolicies.get(POLICY_NAME) as unknown as TokenPolicy | undefined;
    return policy?.status?.license?.expiresAt !== undefined;
  }

  deliverLicense(): void {
    if (this.#operator) this.#operator.license = this.#license;
  }

  createUser(name: string, spec: object): void {
    if (!this.api.objects.users.has(name))
      this.api.put('users', name, { spec: { role: 'member', disabled: false, ...spec } });
  }

  changeUser(name: string, spec: object): void {
    const user = this.api.objects.users.get(name);
    if (!user) return;
    if ('disabled' in spec && spec.disabled === true) this.#mustSignIn(user.metadata.uid);
    this.api.put('users', name, { spec: { ...(user['spec'] as object), ...spec } });
  }

  deleteUser(name: string): void {
    const user = this.api.objects.users.get(name);
    if (user && this.#entitled.delete(user.metadata.uid)) this.#leaving.add(user.metadata.uid);
    if (user) this.#gone.set(user.metadata.uid, 'Deleting');
    this.api.remove('users', name);
  }

  /** Somebody takes the finalizers away, so that nobody offboards it. */
  vanishUser(name: string): void {
    const user = this.api.objects.users.get(name);
    if (!user) return;
    this.#mustSignIn(user.metadata.uid);
    this.#gone.set(user.metadata.uid, 'Vanished');
    const { finalizers: _, ...bare } = user.metadata;
    this.api.objects.users.set(name, { ...user, metadata: bare });
    this.api.remove('users', name);
  }

  /** An admin confirms all that is held now. */
  confirm(): void {
    const policy = this.api.objects.tokenpolicies.get(POLICY_NAME);
    const open = this.openHolds();
    if (!policy || open.length === 0) return;
    for (const [uid, cause] of this.#gone)
      if (open.some((hold) => hold.cause === cause)) this.#confirmed.add(uid);
    const confirmed = confirmedIds(policy as unknown as TokenPolicy);
    const ids = [...confirmed, ...open.map(({ id }) => id)].join(',');
    const annotations = { ...policy.metadata.annotations, [ANNOTATION.confirm]: ids };
    this.api.put('tokenpolicies', POLICY_NAME, { metadata: { ...policy.metadata, annotations } });
  }

  /** What waits for an admin. */
  openHolds(): readonly Hold[] {
    const policy = this.api.objects.tokenpolicies.get(POLICY_NAME) as unknown as TokenPolicy | undefined;
    return (policy?.status?.holds ?? []).filter(({ confirmed }) => !confirmed);
  }

  /** A backup tool: the same spec and status under a new UID. */
  restoreUser(name: string): void {
    const user = this.api.objects.users.get(name);
    if (!user) return;
    this.vanishUser(name);
    this.api.put('users', name, { spec: user['spec'], status: user['status'] });
  }

  endAccess(name: string): void {
    const user = this.api.objects.users.get(name);
    if (!user?.['status']) return;
    this.#mustSignIn(user.metadata.uid);
    const { session: _, ...status } = user['status'] as NonNullable<User['status']>;
    this.api.put('users', name, { status });
  }

  /** As src/sessions/sign-in.ts: live User and policy, the gates, one write under the version that was read. */
  async signIn(name: string): Promise<void> {
    const operator = this.#operator;
    const user = this.api.objects.users.get(name) as unknown as User | undefined;
    const policy = this.api.objects.tokenpolicies.get(POLICY_NAME) as unknown as TokenPolicy | undefined;
    if (!operator || !user || !policy) return;
    const observed = { ...observe(user, operator.surroundings), policy };
    if (shutGate(observed)) return;
    const session = sessionCounts(observed, this.#operatorNow())
      ? user.status?.session && continueSession(user.status.session, policy, this.#operatorNow())
      : startSession(user, policy, `session-${this.api.changes.length}`, this.#operatorNow());
    if (!session) return;
    this.api.put('users', name, { status: { ...user.status, session } });
    this.#entitled.add(user.metadata.uid);
  }

  foreignNamespace(name: string): void {
    if (!this.api.objects.namespaces.has(name)) this.api.put('namespaces', name, {}, { foreign: true });
  }

  labelNamespace(name: string, kind: 'handed-over' | undefined): void {
    const namespace = this.api.objects.namespaces.get(name);
    if (!namespace || !this.api.isForeign('namespaces', name)) return;
    const labels = kind ? { 'latchkey.dev/namespace': kind } : {};
    this.api.put('namespaces', name, { metadata: { ...namespace.metadata, labels } });
  }

  foreignSecret(namespace: string): void {
    const home = this.api.objects.namespaces.get(namespace);
    if (!home || !this.api.isForeign('namespaces', namespace)) return;
    if (!this.api.objects.secrets.has(`${namespace}/access-token`))
      this.api.put('secrets', `${namespace}/access-token`, { data: { mine: 'x' } }, { foreign: true });
  }

  tamper(namespace: string, how: 'edit' | 'delete' | 'finalizer' | 'immutable' | 'labels'): void {
    const key = `${namespace}/access-token`;
    const secret = this.api.objects.secrets.get(key);
    if (!secret || this.api.isForeign('secrets', key)) return;
    if (how === 'delete') this.api.remove('secrets', key);
    else if (how === 'edit')
      this.api.put('secrets', key, { data: { ...(secret['data'] as object), [TOKEN_KEY]: 'Zm9yZ2Vk' } });
    else if (how === 'immutable') this.api.put('secrets', key, { immutable: true });
    else if (how === 'labels') this.api.put('secrets', key, { metadata: { ...secret.metadata, labels: {} } });
    else this.api.put('secrets', key, { metadata: { ...secret.metadata, finalizers: ['example.org/mine'] } });
  }

  /** A Secret of somebody's own under the name of the anchor. */
  foreignAnchor(namespace: string): void {
    const key = `${namespace}/${ANCHOR_SECRET}`;
    if (this.api.isForeign('namespaces', namespace) && !this.api.objects.anchors.has(key))
      this.api.put('anchors', key, { data: { mine: 'x' } }, { foreign: true });
  }

  tamperAnchor(namespace: string, how: 'delete' | 'finalizer' | 'labels'): void {
    const key = `${namespace}/${ANCHOR_SECRET}`;
    const anchor = this.api.objects.anchors.get(key);
    if (!anchor || this.api.isForeign('anchors', key)) return;
    const { metadata } = anchor;
    if (how === 'delete') this.api.remove('anchors', key);
    else if (how === 'labels')
      this.api.put('anchors', key, { metadata: { ...metadata, labels: {}, annotations: {} } });
    else this.api.put('anchors', key, { metadata: { ...metadata, finalizers: ['example.org/mine'] } });
  }

  deleteNamespace(name: string): void {
    if (!this.api.isForeign('namespaces', name)) this.api.remove('namespaces', name);
  }

  // Time, watches, the operator.

  advance(ms: number): void {
    const end = this.#licenseEnd();
    this.#now += ms;
    if (end !== undefined && this.#now >= end && this.#isLicenseRequired()) {
      const before = [...this.#unlicensed, ...this.#entitled, ...this.#leaving];
      this.#forgetEntitled();
      for (const uid of before) this.#unlicensed.add(uid);
    }
    this.setClock(this.#now + this.#skewMs);
  }

  skew(ms: number): void {
    this.#skewMs = ms;
    if (this.#operator && this.#clocksAgree()) this.#operator.hasAgreed = true;
    this.setClock(this.#now + ms);
  }

  stopOperator(): void {
    this.#operator = undefined;
  }

  startOperator(): void {
    this.setClock(this.#now + this.#skewMs);
    const stores = createStores();
    stores.userDefinition.replace([DEFINITION], '1');
    const written = ledger();
    const permitted = permissions();
    // Nothing is proven: every mint reads User and policy live, which is the harder way round a late watch.
    const unproven = {
      isProven: () => false,
      untilProven: async () => false,
      ageMs: () => Number.POSITIVE_INFINITY,
    };
    const caches = cachesOf(stores, unproven);
    const surroundings = surroundingsOf(caches, written, {
      license: () => ({
        content: operator.license,
        at: this.#licenseNow(operator),
        mayBeLater: !operator.hasAgreed,
      }),
      cannotMint: () => (this.#clocksAgree() ? undefined : SKEW),
      permission: permitted.of,
    });
    const log = pino({ level: 'silent' });
    const tell = () => undefined;
    const apply = applier({
      client: this.#client,
      caches,
      ledger: written,
      signer: SIGNER,
      podSecurity: 'restricted',
      tell,
      log,
    });
    const policyHolds = holds({
      caches,
      permissions: permitted,
      directory: surroundings.directory,
      liveDefinitions: async () => ({ users: caches.userDefinition.get(USERS_CRD), policy: undefined }),
      tell,
    });
    const reconcile = reconciler({
      prove: prover(this.#client, caches),
      surroundings,
      apply,
      tell,
      askPermission: policyHolds.ask,
      now: () => new Date(this.#now + (this.#clocksAgree() ? this.#skewMs : 0)),
    });
    permitted.onChange((cause, uids) => {
      for (const uid of uids) {
        const permission = permitted.of(cause, uid);
        if (permission?.given && permission.hold === undefined) this.#letGo.set(uid, this.#now);
      }
    });
    const operator: Operator = {
      stores,
      surroundings,
      reconcile,
      holds: policyHolds,
      permissions: permitted,
      license: this.#license,
      hasAgreed: this.#clocksAgree(),
      told: { users: 0, tokenpolicies: 0, namespaces: 0, secrets: 0, anchors: 0, rolebindings: 0 },
    };
    this.#operator = operator;
    this.relist();
  }

  #clocksAgree(): boolean {
    return Math.abs(this.#skewMs) <= MAX_SKEW_MS;
  }

  /** As src/controllers/license/clock.ts. */
  #licenseNow({ hasAgreed }: Operator): Date {
    return new Date(this.#now + (hasAgreed ? 0 : Math.min(this.#skewMs, 0)));
  }

  /** Tells the operator of the next changes of one kind, in their order. */
  deliver(kind: Watched, most: number): void {
    const operator = this.#operator;
    if (!operator) return;
    let left = most;
    for (; operator.told[kind] < this.api.changes.length && left > 0; operator.told[kind]++) {
      const change = this.api.changes[operator.told[kind]];
      if (change?.kind !== kind) continue;
      deliverTo(operator.stores, kind, change);
      left -= 1;
    }
  }

  /** A list in place of the changes in between, which nobody will see. */
  relist(): void {
    const operator = this.#operator;
    if (!operator) return;
    this.deliverLicense();
    for (const kind of KINDS) {
      operator.told[kind] = this.api.changes.length;
      const { resource, store } = storeOf(operator.stores, kind);
      const revision = this.api.changes.at(-1)?.object.metadata.resourceVersion ?? '1';
      store.replace(
        [...this.api.objects[kind].values()].map((object) => resource.view(overTheWire(object))),
        revision,
      );
    }
  }

  async reconcile(name: string): Promise<void> {
    // A failed write is tried again later, and what waits for others is done after them, as by the queue.
    for (let again: LookAgain = 'AfterOthers'; again === 'AfterOthers';)
      again = await this.#operator?.reconcile(name, () => true).catch(() => undefined);
  }

  async reconcilePolicy(): Promise<void> {
    const operator = this.#operator;
    const policy = operator?.stores.policies.get(POLICY_NAME)?.policy;
    if (!operator) return;
    const held = await operator.holds.decide(policy, this.#operatorNow());
    if (!policy) {
      operator.holds.settle(undefined, held);
      return;
    }
    const observed = {
      policy,
      holds: held.holds,
      taken: held.taken,
      seen: operator.stores.policyWitness(),
      license: operator.surroundings.license(),
      hearing: undefined,
      cannotMint: operator.surroundings.cannotMint(),
      freshEpoch: `epoch-${this.#epochs++}`,
    };
    const { status } = decidePolicy(observed, this.#operatorNow());
    const path = `${POLICIES.path}/${POLICY_NAME}/status`;
    try {
      if (JSON.stringify(status) !== JSON.stringify(policy.status)) {
        const body = { ...policy, status };
        const answer = await this.#client.request<Stored>({ method: 'PUT', path, body });
        operator.stores.policies.merge(POLICIES.view(answer));
      }
    } catch {
      return; // It is tried again later, as the queue would.
    }
    operator.holds.settle(policy, held);
  }

  /** Everything is delivered and reconciled until a whole pass writes nothing. */
  async rest(): Promise<void> {
    this.api.healAll();
    if (!this.#operator) this.startOperator();
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      const before = this.api.writes + this.api.changes.length;
      for (const kind of KINDS) this.deliver(kind, Number.POSITIVE_INFINITY);
      this.deliverLicense();
      await this.reconcilePolicy();
      for (const name of this.#operator?.stores.users.values() ?? []) await this.reconcile(name.name);
      const isNew = await this.#collectOrphans();
      this.api.finishNamespaces();
      if (!isNew && this.api.writes + this.api.changes.length === before) return;
    }
    throw new Error(`no rest after ${MOST_PASSES} passes`);
  }

  /**
   * As src/controllers/orphans, at rest, when every User that is not in the store is gone, and the wait over.
   * @returns whether one has turned up that is not decided on yet
   */
  async #collectOrphans(): Promise<boolean> {
    let isNew = false;
    const operator = this.#operator;
    const stores = operator?.stores;
    for (const namespace of stores?.namespaces.values() ?? []) {
      const secret = stores?.secrets.get(namespace.name);
      const claimed = (stores?.byNamespace.get(namespace.name).length ?? 0) > 0;
      const lives = (uid: string) => (stores?.byUID.get(uid).length ?? 0) > 0;
      const what = orphan({ namespace, secret, lives, claimed });
      const anchor = stores?.anchors.get(namespace.name);
      if (anchor?.userUID !== undefined && !lives(anchor.userUID))
        await deleteForGood(
          this.#client,
          `/api/v1/namespaces/${namespace.name}/secrets/${ANCHOR_SECRET}`,
          anchor,
        );
      const userUID = what === 'Namespace' ? namespace.userUID : secret?.userUID;
      if (!operator || !what || userUID === undefined) continue;
      operator.holds.vanished(userUID);
      const permission = operator.permissions.of('Vanished', userUID);
      isNew ||= permission === undefined;
      if (!permission?.given && !namespace.deleting) continue;
      const path = `/api/v1/namespaces/${namespace.name}/secrets/access-token`;
      if (secret && (!namespace.deleting || secret.finalizers))
        await deleteForGood(this.#client, path, secret);
      if (what === 'Namespace' && !namespace.deleting)
        await deleteIfThere(this.#client, `${NAMESPACES.path}/${namespace.name}`, namespace.uid);
    }
    return isNew;
  }

  #operatorNow(): Date {
    return new Date(this.#now + this.#skewMs);
  }

  // The promises.

  /** Promise 2 and 3 at the moment that matters: nothing is minted for anybody who has to sign in first. */
  #checkMint(token: Minted | undefined): void {
    if (!token) return;
    // Kept for checkAlways: the operator would take an error for a write that failed.
    if (!this.#isEntitled(token.sub))
      this.api.trespasses.push(`minted for ${token.sub}, who has to sign in first`);
    const policy = this.api.objects.tokenpolicies.get(POLICY_NAME) as unknown as TokenPolicy;
    if (token.exp - this.#now > lifetime(policy).ttlMs + MAX_SKEW_MS)
      this.api.trespasses.push('minted for longer than the policy says');
  }

  #forgetEntitled(): void {
    this.#entitled.clear();
    this.#leaving.clear();
    this.#unlicensed.clear();
  }

  #mustSignIn(uid: string): void {
    this.#entitled.delete(uid);
    this.#unlicensed.delete(uid);
  }

  #isEntitled(uid: string): boolean {
    return this.#entitled.has(uid) || (this.#leaving.has(uid) && this.#isHeld(uid));
  }

  /** Nothing is minted for them, but an end of the licence that the operator cannot know of takes nothing away. */
  #isEndUnnoticed(uid: string): boolean {
    return this.#operator?.hasAgreed === false && this.#unlicensed.has(uid);
  }

  #isHeld(uid: string): boolean {
    const cause = this.#gone.get(uid);
    const isGiven = cause && this.#operator?.permissions.of(cause, uid)?.given;
    return !isGiven && this.openHolds().some((hold) => hold.cause === cause);
  }

  /** Promise 7: a namespace goes with its User, and for each User there is a word of an admin, or a place among the few. */
  #checkCollected({ metadata }: Stored): void {
    const uid = metadata.labels?.[LABEL.userUID] ?? '';
    if (!this.#gone.has(uid)) this.api.trespasses.push(`deleted the namespace of ${uid}, who is there`);
    if (!this.#confirmed.has(uid) && !this.#letGo.has(uid))
      this.api.trespasses.push(`deleted the namespace of ${uid}, whom nobody has let go`);
  }

  // Without expect(), which costs more than all that is checked here: this runs after every step of every history.
  checkAlways(): void {
    if (this.api.trespasses.length > 0) throw new Broken(this.api.trespasses.join('\n'));
    for (const cause of ['Deleting', 'Vanished'] as const) {
      const lately = [...this.#letGo].filter(
        ([uid, at]) =>
          this.#gone.get(uid) === cause && !this.#confirmed.has(uid) && at > this.#now - WINDOW_MS,
      );
      if (lately.length >= ACCIDENT) throw new Broken(`${lately.length} went at once, and nobody was asked`);
    }
  }

  /** Somebody has taken our label off it, and the User is gone that remembers it: then nothing says that it is ours. */
  #isNobodys(memory: 'secretUID' | 'anchorUID', key: string, { uid, labels }: Stored['metadata']): boolean {
    const users = [...this.api.objects.users.values()] as unknown as User[];
    return (
      this.api.isForeign('namespaces', key.split('/')[0] ?? '') &&
      labels?.[LABEL.userUID] === undefined &&
      !users.some(({ status }) => status?.[memory] === uid)
    );
  }

  /** What is outstanding of Kubernetes dies with its anchor, so an anchor stands for no session but one that lives. */
  #checkAnchors(): void {
    const mayMint = !this.#operator?.surroundings.cannotMint();
    const policy = this.api.objects.tokenpolicies.get(POLICY_NAME) as unknown as TokenPolicy | undefined;
    const standing = new Set<string>();
    for (const [key, { metadata }] of this.api.objects.anchors) {
      if (this.api.isForeign('anchors', key) || this.#isNobodys('anchorUID', key, metadata)) continue;
      const uid = metadata.labels?.[LABEL.userUID] ?? '';
      if (!this.#entitled.has(uid) && !this.#isEndUnnoticed(uid))
        throw new Broken(`${key} keeps tokens of ${uid} alive, who has to sign in first`);
      const user = [...this.api.objects.users.values()].find((one) => one.metadata.uid === uid);
      const { session } = (user?.['status'] ?? {}) as NonNullable<User['status']>;
      if (metadata.annotations?.[ANNOTATION.session] !== session?.id)
        throw new Broken(`${key} keeps tokens of a session alive that is over`);
      if (policy?.spec.tokenSource !== 'Kubernetes')
        throw new Broken(`${key} stands, though Latchkey signs the tokens`);
      if (metadata.deletionTimestamp !== undefined || metadata.finalizers?.length)
        throw new Broken(`${key} would not go at once`);
      standing.add(metadata.uid);
    }
    for (const [key, secret] of this.api.objects.secrets) {
      const hangsOn = this.api.isForeign('secrets', key) ? undefined : tokenIn(secret)?.anchor;
      if (hangsOn !== undefined && mayMint && !standing.has(hangsOn))
        throw new Broken(`${key} holds a token that is dead`);
    }
  }

  checkAtRest(): void {
    this.checkAlways();
    const operator = this.#operator;
    const policy = this.api.objects.tokenpolicies.get(POLICY_NAME) as unknown as TokenPolicy | undefined;
    const holders = new Map<string, string>();
    for (const [key, secret] of this.api.objects.secrets) {
      if (this.api.isForeign('secrets', key) || this.#isNobodys('secretUID', key, secret.metadata)) continue;
      const { [TOKEN_KEY]: data } = (secret['data'] ?? {}) as Record<string, string>;
      if (data === undefined) continue;
      const token = tokenIn(secret);
      // What was edited while no operator ran is believed for as long as nothing may be minted in its place.
      const isUnknown = operator?.surroundings.claimed(SECRETS.view(overTheWire(secret))) !== undefined;
      if (!token && isUnknown && operator?.surroundings.cannotMint()) continue;
      if (!token) throw new Broken(`${key} holds what somebody else wrote`);
      if (!this.#isEntitled(token.sub) && !this.#isEndUnnoticed(token.sub))
        throw new Broken(`${key} holds a token of ${token.sub}, who has to sign in first`);
      if (!policy) throw new Broken('a token without a policy');
      const user = [...this.api.objects.users.values()].find(
        ({ metadata }) => metadata.uid === token.sub,
      ) as unknown as User;
      if (!user || effectiveNamespace(user) !== key.split('/')[0])
        throw new Broken(`${key} holds somebody else's token`);
      const username = user.spec.username ?? user.metadata.name;
      if (holders.has(username)) throw new Broken(`two tokens for ${username}`);
      holders.set(username, key);
      if (this.#skewMs === 0) {
        const { ttlMs, minRemainingMs } = lifetime(policy);
        expect(token.exp - this.#now).toBeLessThanOrEqual(ttlMs);
        expect(token.exp - this.#now).toBeGreaterThanOrEqual(minRemainingMs);
      }
    }
    this.#checkAnchors();
    for (const user of this.api.objects.users.values() as Iterable<unknown> as Iterable<User>) {
      if (user.metadata.deletionTimestamp !== undefined && !this.#isHeld(user.metadata.uid))
        throw new Broken(`${user.metadata.name} is never gone`);
      if (!operator || !user.status?.session) continue;
      const observed = observe(user, operator.surroundings);
      if (shutGate(observed) || !sessionCounts(observed, this.#operatorNow()))
        throw new Broken(`${user.metadata.name} keeps a session that is over`);
      const maxAge = policy?.spec.session?.maxAge;
      if (maxAge && Date.parse(user.status.session.startedAt) + durationMs(maxAge) <= this.#now)
        throw new Broken(`${user.metadata.name} is signed in for longer than ${maxAge}`);
      const secret = this.api.objects.secrets.get(`${effectiveNamespace(user)}/access-token`);
      if (!observed.cannotMint && !(secret && tokenIn(secret)))
        throw new Broken(`${user.metadata.name} is signed in and has no token`);
    }
  }
}

class Broken extends Error {}

const KINDS: readonly Watched[] = [
  'users',
  'tokenpolicies',
  'namespaces',
  'secrets',
  'anchors',
  'rolebindings',
];

type AnyStore = Store<never> & { replace(objects: readonly unknown[], revision: string): void };

function storeOf(stores: Stores, kind: Watched): { resource: Resource<never>; store: AnyStore } {
  const found = {
    users: { resource: USERS, store: stores.users },
    tokenpolicies: { resource: POLICIES, store: stores.policies },
    namespaces: { resource: NAMESPACES, store: stores.namespaces },
    secrets: { resource: SECRETS, store: stores.secrets },
    anchors: { resource: ANCHORS, store: stores.anchors },
    rolebindings: { resource: BINDINGS, store: stores.bindings },
  }[kind];
  return found as unknown as { resource: Resource<never>; store: AnyStore };
}

function deliverTo(stores: Stores, kind: Watched, { type, object }: Change): void {
  const { resource, store } = storeOf(stores, kind);
  store.applyEvent(type, resource.view(overTheWire(object)));
}

/** Signs nothing: what a token says is all that the promises are about. */
export const SIGNER: Signer = {
  async sign(claims, ttlMs, now) {
    const exp = Math.floor(now.getTime() / 1_000) * 1_000 + ttlMs;
    const minted: Minted = { sub: claims.sub, sid: claims.sid, exp };
    return { token: JSON.stringify(minted), expiresAt: new Date(exp), jti: 'jti', kid: KID };
  },
};

function tokenIn(secret: Stored): Minted | undefined {
  const data = (secret['data'] as Record<string, string> | undefined)?.[TOKEN_KEY];
  if (data === undefined || data === 'Zm9yZ2Vk') return undefined;
  const token = atob(data);
  // A token of Kubernetes is a JWT, in which the model says whom its anchor is for.
  const [, payload] = token.startsWith('{') ? [] : token.split('.');
  return JSON.parse(payload === undefined ? token : Buffer.from(payload, 'base64url').toString()) as Minted;
}
