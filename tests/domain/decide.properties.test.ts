// For any picture of a cluster: what is decided comes to rest, keeps the promises there, and touches nobody else's things.
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide, type Decision } from '../../src/domain/decide.ts';
import type { Step } from '../../src/domain/step.ts';
import type { Observed } from '../../src/domain/observed.ts';
import { floorAt, lifetime } from '../../src/domain/refresh.ts';
import { unbroken } from '../../src/domain/witness.ts';
import { ADMIN_FINALIZER, anyCluster } from './any-picture.ts';
import { carryOut, timePasses, type Cluster } from './carry-out.ts';
import { later, MINUTE_MS, NOW } from './pictures.ts';

const RUNS = Number(process.env['LATCHKEY_PROPERTY_RUNS'] ?? 5_000);
/** Withdraw, namespace gone, made anew, Secret, token, status: and as much again. */
const MOST_ROUNDS = 12;

class Broken extends Error {}

function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(what);
}

/** The rule of the design in other words than those of the code: whose session is there, and whose gates are open. */
function isEntitled(picture: Observed): boolean {
  const { user, policy, seen, namespace, ...others } = picture;
  const session = user.status?.session;
  return (
    policy?.metadata.deletionTimestamp === undefined &&
    policy?.spec.enabled === true &&
    policy.status?.epoch !== undefined &&
    !user.spec.disabled &&
    directoryAgrees(picture) &&
    // Ada has signed in 4 hours ago.
    policy.spec.session?.maxAge !== '1h' &&
    !hasNewPassword(picture) &&
    user.metadata.deletionTimestamp === undefined &&
    others.usernameHolder === user &&
    others.accountHolder === user &&
    others.settings.operatorNamespace !== 'ada' &&
    (isMadeForAda(namespace) || others.namespaceHolder === user) &&
    (namespace === undefined || isMadeForAda(namespace) || namespace.kind === 'handed-over') &&
    !isForeign(others.secret, picture) &&
    !isForeign(others.binding, picture) &&
    !(policy.spec.tokenSource === 'Kubernetes' && isForeign(others.anchor, picture)) &&
    session?.epoch === policy.status.epoch &&
    session.userUID === user.metadata.uid &&
    unbroken(session.generation, user.metadata.generation ?? 0, seen)
  );
}

/** What may be an accident is not acted on before it is permitted. */
function directoryAgrees(picture: Observed): boolean {
  const { state } = picture.user.status?.directory ?? {};
  const isOut = state === 'Inactive' || state === 'Missing';
  const isHeld = !isOut && picture.mayEndSession?.given !== true;
  return isHeld || directorySaysSo(picture);
}

/** As with what the directory says of the account, this may be an accident. */
function hasNewPassword({ policy, directory, mayEndSession }: Observed): boolean {
  const isNew = directory?.finding?.passwordChangedAt !== undefined;
  return policy?.spec.session?.endOnPasswordChange === true && isNew && mayEndSession?.given === true;
}

function directorySaysSo({ user, directory }: Observed): boolean {
  const { state, id } = user.status?.directory ?? {};
  const wasGood = state !== 'Inactive' && state !== 'Missing';
  const finding = directory?.finding;
  switch (finding?.state) {
    case undefined:
    case 'Ambiguous':
      return wasGood;
    case 'Missing':
      return false;
    default: {
      const reasons = finding?.spells.map(({ reason }) => reason) ?? [];
      if (id !== undefined && finding?.id !== undefined && id !== finding.id) return false;
      if (reasons.includes('Unreadable')) return wasGood;
      return !reasons.includes('Disabled');
    }
  }
}

function isMadeForAda(namespace: Observed['namespace']): boolean {
  return namespace?.kind === 'made' && namespace.userUID === 'uid-ada';
}

type Named = { readonly uid: string; readonly userUID: string | undefined };

/** An object under one of our names that is not hers to touch: somebody else made it, or it is the elder's. */
function isForeign(object: Named | undefined, { user, namespace, namespaceHolder }: Observed): boolean {
  if (!object || object.userUID === 'uid-ada') return false;
  if (object.uid === user.status?.secretUID || object.uid === user.status?.anchorUID) return false;
  const madeForNobodyElse =
    namespace?.kind === 'made' && namespace.userUID !== 'uid-elder' && namespaceHolder === user;
  return !isMadeForAda(namespace) && !madeForNobodyElse;
}

const ON_SECRETS: ReadonlySet<Step['do']> = new Set([
  'WriteToken',
  'ClearToken',
  'DeleteSecret',
  'CreateSecret',
]);
const ON_ANCHORS: ReadonlySet<Step['do']> = new Set(['CreateAnchor', 'DeleteAnchor']);
const ON_BINDINGS: ReadonlySet<Step['do']> = new Set(['WriteBinding', 'DeleteBinding']);
const MAKES: ReadonlySet<Step['do']> = new Set([
  'CreateSecret',
  'CreateAnchor',
  'WriteToken',
  'WriteBinding',
]);

/** Promise 4, for each step before it is carried out. */
function checkSteps({ picture }: Cluster, { steps }: Decision): void {
  const { user, namespace, secret, anchor, binding, namespaceHolder, settings } = picture;
  const creates = steps.some((step) => step.do === 'CreateNamespace');
  for (const step of steps) {
    const foreign = ON_SECRETS.has(step.do)
      ? secret
      : ON_ANCHORS.has(step.do)
        ? anchor
        : ON_BINDINGS.has(step.do)
          ? binding
          : undefined;
    promise(!isForeign(foreign, picture), `${step.do} touches what somebody else made`);
    if (step.do === 'DeleteNamespace')
      promise(isMadeForAda(namespace), 'deletes a namespace that is not hers');
    if (step.do === 'CreateNamespace') promise(!namespace, 'makes a namespace that is there');
    if (!MAKES.has(step.do)) continue;
    promise(settings.operatorNamespace !== 'ada', `${step.do} in the operator's own namespace`);
    const hers = isMadeForAda(namespace) || (namespace?.kind === 'handed-over' && namespaceHolder === user);
    promise(creates || hers, `${step.do} in a namespace that is not hers`);
  }
  if (!steps.some((step) => step.do === 'WriteToken')) return;
  promise(isEntitled(picture), 'mints for somebody who may not have a token');
  promise(picture.cannotMint === undefined, 'mints while nothing may be minted');
}

/** Decides and carries out until nothing is left to do. */
function rest(first: Cluster, now: Date): Cluster {
  let cluster = first;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const decision = decide(cluster.picture, now);
    checkSteps(cluster, decision);
    const next = timePasses(carryOut(cluster, decision, now));
    if (next.userIsGone || isDeepStrictEqual(next, cluster)) return next;
    cluster = next;
  }
  throw new Broken(`no rest after ${MOST_ROUNDS} rounds`);
}

function checkAtRest(cluster: Cluster, now: Date): void {
  const { picture, holdsToken, userIsGone } = cluster;
  const { user, policy, secret, namespace, cannotMint } = picture;
  if (userIsGone) {
    promise(!isMadeForAda(namespace), 'the namespace outlives its User');
    promise(!secret || isForeign(secret, picture), 'the Secret outlives its User');
    return;
  }
  if (user.metadata.deletionTimestamp !== undefined)
    promise(!hasOnlyOurFinalizer(user), 'a deleted User is never gone');

  const decision = decide(picture, now);
  promise(decision.steps.length === 0, 'something is still to be done at rest');
  promise(isDeepStrictEqual(decision.status, user.status), 'the status is not the one that was decided');
  const hers = holdsToken && !isForeign(secret, picture);
  const { anchor } = picture;
  const hangs = anchor !== undefined && !isForeign(anchor, picture);
  const byKubernetes = policy?.spec.tokenSource === 'Kubernetes';
  if (!isEntitled(picture) || !byKubernetes)
    promise(!hangs, 'what tokens of Kubernetes hang on outlives them');
  else if (hers)
    promise(
      hangs && !anchor.finalizers && anchor.session === user.status?.session?.id,
      'a token of Kubernetes that hangs on nothing',
    );
  if (!isEntitled(picture)) {
    promise(!hers, 'a token of somebody who may not have one');
    promise(user.status?.session === undefined, 'a session behind a shut gate');
    promise(decision.lookAgainAt === undefined, 'an appointment for somebody without a token');
    return;
  }
  promise(policy !== undefined, 'entitled without a policy');
  const accounted = policy.status?.observedGeneration === policy.metadata.generation;
  promise(hers || cannotMint !== undefined || !accounted, 'no token for somebody who may have one');
  promise(
    decision.status.conditions?.find(({ type }) => type === 'Ready')?.status ===
      (hers && !cannotMint ? 'True' : 'False'),
    'the condition Ready says something else',
  );
  if (!hers) return;
  const life = lifetime(policy);
  const expiresAt = secret?.written?.token?.expiresAt;
  promise(expiresAt !== undefined, 'a token that nobody knows');
  const remainingMs = expiresAt.getTime() - now.getTime();
  // One of the policy before stays until the change is accounted for, which takes a moment.
  const longest = accounted || cannotMint ? life.ttlMs : Number.POSITIVE_INFINITY;
  promise(remainingMs >= life.minRemainingMs && remainingMs <= longest, `a token of ${remainingMs} ms`);
  promise(decision.lookAgainAt !== undefined, 'a token that nobody looks after');
  promise(decision.lookAgainAt > now && decision.lookAgainAt <= floorAt(expiresAt, life), 'a look too late');
}

function hasOnlyOurFinalizer(user: Observed['user']): boolean {
  return user.metadata.finalizers?.length !== 0 && !user.metadata.finalizers?.includes(ADMIN_FINALIZER);
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

test('any picture comes to rest, without a step on what is not ours, and keeps the promises there', () => {
  fc.assert(
    fc.property(anyCluster, (cluster) => {
      checkAtRest(rest(cluster, NOW), NOW);
    }),
    { numRuns: RUNS },
  );
});

test('the same picture at the same time gives the same decision, and stays as it is', () => {
  fc.assert(
    fc.property(anyCluster, ({ picture }) => {
      const once = decide(frozen(picture), NOW);
      expect(isDeepStrictEqual(decide(picture, NOW), once)).toBe(true);
    }),
    { numRuns: RUNS / 5 },
  );
});

test('at rest, nothing is done and no status is written until the appointment; a refresh writes none either', () => {
  let refreshes = 0;
  fc.assert(
    fc.property(anyCluster, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (first, share) => {
      const cluster = rest(first, NOW);
      const { picture, userIsGone } = cluster;
      if (userIsGone) return;
      const appointment = decide(picture, NOW).lookAgainAt ?? later(60 * MINUTE_MS);
      const leftMs = appointment.getTime() - NOW.getTime();
      const between = later(Math.min(Math.floor(leftMs * share), leftMs - 1));
      promise(isDeepStrictEqual(rest(cluster, between), cluster), 'something happens before its time');
      if (!decide(picture, appointment).steps.some((step) => step.do === 'WriteToken')) return;
      refreshes += 1;
      const refreshed = rest(cluster, appointment);
      checkAtRest(refreshed, appointment);
      promise(isDeepStrictEqual(refreshed.picture.user, picture.user), 'a refresh writes the User');
    }),
    { numRuns: RUNS },
  );
  // The pictures were worth something only if tokens were refreshed.
  expect(refreshes).toBeGreaterThan(RUNS / 20);
});
