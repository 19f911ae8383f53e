// What every User has: the namespace, the Secret, the RoleBinding, and a token in the Secret while the rule holds.
import { FINALIZER } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { Session } from '../api/user.ts';
import { anchored, sessionOfKubernetes, type Anchored } from './anchor.ts';
import { effectiveUsername } from './effective.ts';
import type { ShutGate } from './gates.ts';
import { keepFresh } from './keep-fresh.ts';
import { withdraw } from './leave.ts';
import type { Observed } from './observed.ts';
import { ownsBinding, ownsSecret, type NamespaceClaim } from './ownership.ts';
import type { Plan, Step } from './step.ts';

/** Whether the namespace may be written to, and holds nothing of somebody else's under our names. */
export function isUsable(observed: Observed, claim: NamespaceClaim): boolean {
  if (claim !== 'Absent' && claim !== 'Made' && claim !== 'HandedOver') return false;
  const foreignSecret = observed.secret && !ownsSecret(observed, claim);
  const foreignBinding = observed.binding && !ownsBinding(observed, claim);
  return claim !== 'HandedOver' || (!foreignSecret && !foreignBinding);
}

export interface Access {
  readonly shut: ShutGate | undefined;
  readonly session: Session | undefined;
  readonly policy: TokenPolicy | undefined;
}

interface Anchorage extends Access {
  readonly anchor: Anchored;
}

/** Makes what every User has (namespace, Secret, binding) and sees to the token in it, and to what that hangs on. */
export function provide(observed: Observed, claim: NamespaceClaim, access: Access, now: Date): Plan {
  // It goes with its namespace, unless somebody's finalizer keeps both.
  if (observed.namespace?.deleting) return withdraw(observed, claim);
  const anchor = anchored(observed, claim, sessionOfKubernetes(access.policy, access.session));
  const plan = provideSecret(observed, claim, { ...access, anchor }, now);
  const { step } = anchor;
  if (!step) return plan;
  // Where nobody is to have a token, all that hang on it die first, the copies, too. Else the next one is there first.
  const steps = access.session ? [...plan.steps, step] : [step, ...plan.steps];
  return { ...plan, steps };
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
