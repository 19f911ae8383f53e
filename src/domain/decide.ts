// Decides what is to be done about one User: the status it should have, the writes to make, and when to look again.
import { FINALIZER } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { Session, UserStatus } from '../api/user.ts';
import { anchored, anchoredDigest, sessionOfKubernetes, type Anchored, type AnchorStep } from './anchor.ts';
import { claimsDigest, identityClaims, type IdentityClaims } from './claims.ts';
import type { Cause } from './happening.ts';
import type { HeldToken, Observed } from './observed.ts';
import { namespaceClaim, ownsAnchor, ownsBinding, ownsSecret, type NamespaceClaim } from './ownership.ts';
import { floorAt, lifetime, refreshAt } from './refresh.ts';
import { decideDirectory, earliest, endsSession } from './directory.ts';
import { sessionEnd, type SessionEnd } from './session.ts';
import { shutGate, type ShutGate } from './gates.ts';
import { desiredStatus } from './status.ts';
import { effectiveUsername } from './effective.ts';
import { hasBegun, holdOf, losingSession, mayBeTaken } from './losing.ts';

/** One write to the API server. Steps run in their order; what they change is observed before the next decision. */
export type Step =
  | { readonly do: 'AddFinalizer' }
  | { readonly do: 'CreateNamespace' }
  | { readonly do: 'CreateSecret'; readonly reason: string; readonly message: string }
  | {
      readonly do: 'WriteToken';
      readonly session: string;
      readonly claims: IdentityClaims;
      readonly digest: string;
      /** The UID of the Secret that it hangs on; there where Kubernetes gives the token. */
      readonly anchor?: string;
    }
  | AnchorStep
  | { readonly do: 'ClearToken'; readonly reason: string; readonly message: string }
  | { readonly do: 'DeleteSecret' }
  | { readonly do: 'WriteBinding'; readonly subject: string }
  | { readonly do: 'DeleteBinding' }
  | { readonly do: 'DeleteNamespace' }
  | { readonly do: 'RemoveFinalizer' };

export interface Decision {
  /** The whole status that the User should have once the steps are done. */
  readonly status: UserStatus;
  /**
   * A session that ends for this User alone is taken out before its token: the status is what a restart goes by.
   * Where one write to the policy has ended everybody's, the tokens go first. An offboarding says that it has begun.
   */
  readonly statusFirst: boolean;
  readonly steps: readonly Step[];
  readonly lookAgainAt: Date | undefined;
  /** The Secret holds a good token for now: what replaces it may wait a moment. */
  readonly holdsToken: boolean;
  /** Something would be taken away that is not permitted yet: holds.ts has to be asked, and tells. */
  readonly asksPermission?: true;
  /** Why a session or a token goes, if one goes with this decision. */
  readonly cause: Cause;
}

/**
 * The heart of Latchkey: a user has a token ⇔ every gate is open and the session counts. Pure: no clock, no I/O, no
 * memory; the same picture at the same time always gives the same decision.
 */
export function decide(seen: Observed, now: Date): Decision {
  const { observed, lookAgainAt, asksPermission } = withDirectory(seen, now);
  const { user, policy } = observed;
  const claim = namespaceClaim(observed);
  const shut = shutGate(observed);
  const ended = policy && !shut ? sessionEnd(user, policy, observed.seen) : undefined;
  const session = shut || ended ? undefined : user.status?.session;

  const leaves = user.metadata.deletionTimestamp !== undefined && mayBeTaken(observed.losing);
  const plan = leaves
    ? offboard(observed, claim)
    : isUsable(observed, claim)
      ? provide(observed, claim, { shut, session, policy }, now)
      : withdraw(observed, claim);

  const status = desiredStatus(observed, { shut, ended, session, tokenWritten: plan.tokenWritten }, now);
  return {
    status,
    statusFirst:
      (leaves && !hasBegun(user)) ||
      (user.status?.session !== undefined && !session && !shut?.forEveryone && ended !== 'NewEpoch'),
    steps: plan.steps,
    lookAgainAt: earliest(plan.lookAgainAt, lookAgainAt),
    holdsToken: plan.tokenWritten,
    ...(asksPermission && { asksPermission }),
    cause: shut ?? (session ? causeDespite(observed) : causeOf(status)),
  };
}

/** The picture with the directory's word in the User's status, which is where every replica looks for it. */
function withDirectory(
  observed: Observed,
  now: Date,
): { observed: Observed; lookAgainAt: Date | undefined; asksPermission?: true } {
  const { user, policy } = observed;
  const { status: directory, lookAgainAt } = decideDirectory(user, policy, observed.directory, now);
  if (user.metadata.deletionTimestamp === undefined && endsSession(user, directory)) {
    const losing = losingSession(user, observed.mayEndSession);
    if (!mayBeTaken(losing)) return { observed: { ...observed, losing }, lookAgainAt, asksPermission: true };
  }
  if (directory === user.status?.directory || directory === undefined) return { observed, lookAgainAt };
  return {
    observed: { ...observed, user: { ...user, status: { ...user.status, directory } } },
    lookAgainAt,
  };
}

/** What ended the session: the condition keeps it until the next one begins. */
function causeOf({ conditions = [] }: UserStatus): Cause {
  const { reason = 'SessionEnded', message = '' } = conditions.find(({ type }) => type === 'SignedIn') ?? {};
  return { reason, message, ...(reason === ('NewEpoch' satisfies SessionEnd) && { forEveryone: true }) };
}

/** What takes the token of somebody who is signed in and may have one. */
function causeDespite({ cannotMint, namespace }: Observed): Cause {
  if (cannotMint) return { ...cannotMint, fault: true };
  return namespace?.deleting
    ? {
        reason: 'NamespaceTerminating',
        message: 'Its namespace is being deleted, and made anew when it is gone.',
      }
    : {
        reason: 'SecretReplaced',
        message: 'Somebody has changed the Secret so that it has to be made anew.',
      };
}

/** Whether the namespace may be written to, and holds nothing of somebody else's under our names. */
function isUsable(observed: Observed, claim: NamespaceClaim): boolean {
  if (claim !== 'Absent' && claim !== 'Made' && claim !== 'HandedOver') return false;
  const foreignSecret = observed.secret && !ownsSecret(observed, claim);
  const foreignBinding = observed.binding && !ownsBinding(observed, claim);
  return claim !== 'HandedOver' || (!foreignSecret && !foreignBinding);
}

interface Plan {
  readonly steps: readonly Step[];
  /** Whether the Secret holds, as far as this process knows, the token that it should hold. */
  readonly tokenWritten: boolean;
  readonly lookAgainAt?: Date | undefined;
}

/** Session, then Secret, then namespace, then the finalizer: each step waits until the one before has been seen. */
function offboard(observed: Observed, claim: NamespaceClaim): Plan {
  const { user, secret, anchor, binding, namespace } = observed;
  const only = (...steps: Step[]): Plan => ({ steps, tokenWritten: false });
  const leftovers = withdraw(observed, claim);
  if (leftovers.steps.length > 0) return leftovers;
  // Somebody has taken our finalizer away, and another one keeps the User: its namespace goes when it is gone.
  if (!user.metadata.finalizers?.includes(FINALIZER)) return only();
  if (
    (secret && ownsSecret(observed, claim)) ||
    (anchor && ownsAnchor(observed, claim)) ||
    (binding && ownsBinding(observed, claim) && claim !== 'Made')
  )
    return only();
  if (claim === 'Made') return namespace?.deleting ? only() : only({ do: 'DeleteNamespace' });
  return only({ do: 'RemoveFinalizer' });
}

/** Takes back what is ours from a namespace that is not, or not for long. */
function withdraw(observed: Observed, claim: NamespaceClaim): Plan {
  const { secret, binding } = observed;
  const steps: Step[] = [];
  const { step } = anchored(observed, claim, undefined);
  if (step) steps.push(step);
  if (secret && ownsSecret(observed, claim) && (!secret.deleting || secret.finalizers))
    steps.push({ do: 'DeleteSecret' });
  if (binding && claim !== 'Made' && ownsBinding(observed, claim) && !binding.deleting)
    steps.push({ do: 'DeleteBinding' });
  return { steps, tokenWritten: false };
}

interface Access {
  readonly shut: ShutGate | undefined;
  readonly session: Session | undefined;
  readonly policy: TokenPolicy | undefined;
}

interface Anchorage extends Access {
  readonly anchor: Anchored;
}

/** Makes what every User has (namespace, Secret, binding) and sees to the token in it, and to what that hangs on. */
function provide(observed: Observed, claim: NamespaceClaim, access: Access, now: Date): Plan {
  // It goes with its namespace, unless somebody's finalizer keeps both.
  if (observed.namespace?.deleting) return withdraw(observed, claim);
  const anchor = anchored(observed, claim, sessionOfKubernetes(access.policy, access.session));
  const plan = provideSecret(observed, claim, { ...access, anchor }, now);
  // After the token has left the Secret: what follows a deletion waits until the watch has told of it.
  return anchor.step ? { ...plan, steps: [...plan.steps, anchor.step] } : plan;
}

function provideSecret(observed: Observed, claim: NamespaceClaim, access: Anchorage, now: Date): Plan {
  const { user, secret } = observed;
  const before: Step[] = [];
  const deleting = user.metadata.deletionTimestamp !== undefined;
  // It keeps what it has until it is decided that it may lose it; it gets nothing that it does not have.
  if (deleting && claim === 'Absent') return withdraw(observed, claim);
  if (!deleting && !user.metadata.finalizers?.includes(FINALIZER)) before.push({ do: 'AddFinalizer' });
  if (claim === 'Absent') before.push({ do: 'CreateNamespace' });
  const binding = bind(observed);

  const { reason, message } = absence(observed, access);
  if (!secret || claim === 'Absent') {
    // The token follows in a PUT: only a write that names the resourceVersion cannot land in somebody else's Secret.
    return { steps: [...before, { do: 'CreateSecret', reason, message }, ...binding], tokenWritten: false };
  }
  if (secret.deleting) {
    const steps: Step[] = secret.finalizers ? [{ do: 'DeleteSecret' }] : [];
    return { steps: [...before, ...steps, ...binding], tokenWritten: false };
  }
  const token =
    access.session && access.policy
      ? keepFresh(observed, { session: access.session, policy: access.policy, anchor: access.anchor }, now)
      : undefined;
  if (token) return { ...token, steps: [...before, ...token.steps, ...binding] };
  const cleared =
    secret.written?.token === undefined && secret.written?.reason === reason && !secret.finalizers;
  const clear: Step[] = cleared ? [] : [{ do: 'ClearToken', reason, message }];
  // The token goes before anything else is made or mended.
  return { steps: [...clear, ...before, ...binding], tokenWritten: false };
}

/** Why there is no token, as the Secret without one says it. */
function absence(
  { settings, cannotMint }: Observed,
  { shut, session }: Access,
): { reason: string; message: string } {
  if (shut) return { reason: shut.reason, message: shut.message };
  if (session) return cannotMint ?? { reason: 'Preparing', message: 'The token is being written.' };
  return { reason: 'NotSignedIn', message: `Sign in at ${settings.portal} to get a token.` };
}

/** @returns undefined where the Secret has to lose its key: nothing may be minted, and the old token is too old. */
function keepFresh(
  observed: Observed,
  { session, policy, anchor }: { session: Session; policy: TokenPolicy; anchor: Anchored },
  now: Date,
): Plan | undefined {
  const { user, secret, cannotMint, publishedKeys } = observed;
  const life = lifetime(policy);
  const claims = identityClaims(user, session, policy);
  const byKubernetes = sessionOfKubernetes(policy, session) !== undefined;
  const { ready } = anchor;
  // First there has to be something for the token to hang on; what one hung on that is gone is dead.
  if (byKubernetes && !ready) return { steps: [], tokenWritten: false };
  const digest = ready && byKubernetes ? anchoredDigest(claims, ready) : claimsDigest(claims);
  const isAsItShould = (token: Omit<HeldToken, 'kid'>) =>
    token.session === session.id &&
    token.claims === digest &&
    token.expiresAt.getTime() - now.getTime() <= life.ttlMs;
  const written = secret?.finalizers ? undefined : secret?.written?.token;
  const isPublished = written?.kid === undefined || (publishedKeys?.has(written.kid) ?? true);
  const usable = written && isAsItShould(written) && isPublished ? written : undefined;
  const due = usable && refreshAt(user.metadata.uid, usable.expiresAt, life);
  if (due && now < due) return { steps: [], tokenWritten: true, lookAgainAt: due };

  const floorOf = (token: Omit<HeldToken, 'kid'> | undefined) => token && floorAt(token.expiresAt, life);
  const floor = floorOf(usable);
  const aboveFloor = floor !== undefined && now < floor;
  // A change of the policy that has not been accounted for may have shut the gate for a moment.
  const accounted = policy.status?.observedGeneration === policy.metadata.generation;
  // Until it is decided whether a User that is being deleted is held, which takes a moment, nothing new is given to it.
  const isOpen = user.metadata.deletionTimestamp === undefined || holdOf(observed.losing) !== undefined;
  if (!cannotMint && accounted && isOpen) {
    const hangsOn = ready && byKubernetes ? { anchor: ready.uid } : {};
    const write: Step = { do: 'WriteToken', session: session.id, claims, digest, ...hangsOn };
    return { steps: [write], tokenWritten: aboveFloor };
  }
  if (aboveFloor) return { steps: [], tokenWritten: true, lookAgainAt: floor };
  // What the new policy wants otherwise is replaced in a moment, when the change is accounted for, and not taken away.
  const replaced =
    !cannotMint && !accounted && isPublished && written?.session === session.id
      ? floorOf(written)
      : undefined;
  if (replaced && now < replaced) return { steps: [], tokenWritten: true, lookAgainAt: replaced };
  // After a restart, or where the answer to a write was lost, only the annotations tell what the Secret holds. It is
  // written anew as soon as that is possible; to take it away before would punish everybody for a bad moment.
  const unknown = secret?.written || secret?.finalizers ? undefined : secret?.claimed;
  const until = unknown && isAsItShould(unknown) ? floorOf(unknown) : undefined;
  return until && now < until ? { steps: [], tokenWritten: false, lookAgainAt: until } : undefined;
}

function bind(observed: Observed): Step[] {
  const subject = effectiveUsername(observed.user);
  const { binding } = observed;
  if (binding?.deleting) return [];
  if (!binding) return [{ do: 'WriteBinding', subject }];
  if (!binding.toReaderRole) return [{ do: 'DeleteBinding' }];
  return binding.subject === subject && binding.userUID === observed.user.metadata.uid
    ? []
    : [{ do: 'WriteBinding', subject }];
}

/** Whether the session that a User has counts now: then a second sign-in leaves it as it is. */
export function sessionCounts({ user, policy, seen }: Observed): boolean {
  return (
    user.status?.session !== undefined && policy !== undefined && sessionEnd(user, policy, seen) === undefined
  );
}
