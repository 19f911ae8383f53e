// What a cluster looks like after the steps of a decision, where every write succeeds at once and nobody else acts.
import { ADMIN_FINALIZER } from './any-picture.ts';
import { FINALIZER } from '../../src/api/names.ts';
import type { User } from '../../src/api/user.ts';
import type { Decision } from '../../src/domain/decide.ts';
import type { Step } from '../../src/domain/step.ts';
import type { Observed } from '../../src/domain/observed.ts';
import { lifetime } from '../../src/domain/refresh.ts';
import { aBinding, anAnchor, aNamespace, aSecret, KID } from './pictures.ts';

/** A picture, and what it does not show: whether there really is a token in the Secret. */
export interface Cluster {
  readonly picture: Observed;
  readonly holdsToken: boolean;
  readonly userIsGone: boolean;
}

/** As the reconciler does it: the steps, or, when there are none, the status; the status first where so decided. */
export function carryOut(cluster: Cluster, { steps, status, statusFirst }: Decision, now: Date): Cluster {
  let next = cluster;
  if (statusFirst || steps.length === 0) next = withUser(next, { ...next.picture.user, status });
  for (const step of steps) next = { ...next, ...after(step, next, now) };
  return next;
}

function withUser(cluster: Cluster, user: User): Cluster {
  const { usernameHolder, namespaceHolder, accountHolder, user: before } = cluster.picture;
  return {
    ...cluster,
    picture: {
      ...cluster.picture,
      user,
      usernameHolder: usernameHolder === before ? user : usernameHolder,
      namespaceHolder: namespaceHolder === before ? user : namespaceHolder,
      accountHolder: accountHolder === before ? user : accountHolder,
    },
  };
}

function after(step: Step, cluster: Cluster, now: Date): Partial<Cluster> {
  const { picture } = cluster;
  const { user, policy } = picture;
  const { finalizers = [] } = user.metadata;
  const seen = (change: Partial<Observed>, holdsToken = cluster.holdsToken): Partial<Cluster> => ({
    picture: { ...picture, ...change },
    holdsToken,
  });
  const finalizersBecome = (names: readonly string[]) =>
    withUser(cluster, { ...user, metadata: { ...user.metadata, finalizers: names } });
  switch (step.do) {
    case 'AddFinalizer':
      return finalizersBecome([...finalizers, FINALIZER]);
    case 'RemoveFinalizer': {
      const left = finalizers.filter((name) => name !== FINALIZER);
      return { ...finalizersBecome(left), userIsGone: !left.includes(ADMIN_FINALIZER) };
    }
    case 'CreateNamespace':
      return seen(
        {
          namespace: aNamespace(),
          namespaceOwnerLives: true,
          secret: undefined,
          anchor: undefined,
          binding: undefined,
        },
        false,
      );
    case 'CreateSecret':
      return seen({ secret: aSecret({ uid: 'uid-new-secret', written: undefined }) }, false);
    case 'WriteToken': {
      if (!policy) throw new Error('a token without a policy');
      const expiresAt = new Date(now.getTime() + lifetime(policy).ttlMs);
      const token = {
        expiresAt,
        session: step.session,
        claims: step.digest,
        kid: step.anchor === undefined ? KID : undefined,
      };
      return seen({ secret: aSecret({ ...picture.secret, ...OURS, written: { token } }) }, true);
    }
    case 'CreateAnchor':
      return seen({ anchor: anAnchor({ session: step.session }) });
    case 'DeleteAnchor':
      return seen({ anchor: undefined });
    case 'ClearToken':
      return seen(
        { secret: aSecret({ ...picture.secret, ...OURS, written: { reason: step.reason } }) },
        false,
      );
    case 'DeleteSecret':
      return seen({ secret: undefined }, false);
    case 'WriteBinding':
      return seen({ binding: aBinding({ subject: step.subject }) });
    case 'DeleteBinding':
      return seen({ binding: undefined });
    case 'DeleteNamespace':
      return seen({ namespace: picture.namespace && { ...picture.namespace, deleting: true } });
    default:
      return step satisfies never;
  }
}

/** A PUT of the whole Secret. */
const OURS = { userUID: 'uid-ada', finalizers: false };

/** What Kubernetes does by itself: objects that are being deleted go, unless a finalizer keeps them. */
export function timePasses(cluster: Cluster): Cluster {
  const { picture } = cluster;
  const goes = (object: { readonly deleting: boolean } | undefined) =>
    object?.deleting === true || picture.namespace?.deleting === true;
  const secret =
    picture.secret && goes(picture.secret)
      ? picture.secret.finalizers
        ? { ...picture.secret, deleting: true }
        : undefined
      : picture.secret;
  const anchor =
    picture.anchor && goes(picture.anchor)
      ? picture.anchor.finalizers
        ? { ...picture.anchor, deleting: true }
        : undefined
      : picture.anchor;
  // Somebody else's finalizer on somebody else's Secret is not what this is about.
  const gone = picture.namespace?.deleting && !secret;
  return {
    ...cluster,
    holdsToken: secret !== undefined && cluster.holdsToken,
    picture: {
      ...picture,
      secret,
      anchor: gone ? undefined : anchor,
      binding: goes(picture.binding) ? undefined : picture.binding,
      namespace: gone ? undefined : picture.namespace,
    },
  };
}
